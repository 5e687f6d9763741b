/** Seeded numbers: the same seed gives the same world on every machine. */
export class Random {
  /** @param {number} seed @param {string} [purpose] Independent streams of one seed. */
  constructor(seed, purpose = "") {
    this.state = (seed ^ 0x9e3779b9) >>> 0;
    for (const character of purpose) this.state = Math.imul(this.state ^ character.charCodeAt(0), 0x01000193) >>> 0;
    for (let turn = 0; turn < 8; turn += 1) this.next();
  }

  /** In [0, 1); mulberry32. */
  next() {
    this.state = (this.state + 0x6d2b79f5) >>> 0;
    let mixed = this.state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  /** @param {number} probability */
  chance(probability) {
    return this.next() < probability;
  }

  /** A whole number, both ends included. @param {number} least @param {number} most */
  between(least, most) {
    return least + Math.floor(this.next() * (most - least + 1));
  }

  /** @template T @param {T[]} choices @returns {T} */
  pick(choices) {
    return choices[Math.floor(this.next() * choices.length)];
  }
}
