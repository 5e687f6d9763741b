// Lists one-line mutants of a script as JSON: rule, line, start, end, before, after. Deno gives its parser to lint
// plugins in tests only, hence the form of a test.
const [source, output] = Deno.args;
const text = Deno.readTextFileSync(source);

const SWAPS = {
  "<": ["<=", ">="],
  "<=": ["<", ">"],
  ">": [">=", "<="],
  ">=": [">", "<"],
  "===": ["!=="],
  "!==": ["==="],
  "+": ["-"],
  "-": ["+"],
  "*": ["/"],
  "/": ["*"],
  "%": ["*"],
  "&&": ["||"],
  "||": ["&&"],
};
const OPPOSITES = {
  min: "max",
  max: "min",
  some: "every",
  every: "some",
  floor: "ceil",
  ceil: "floor",
  round: "floor",
};
/** What these are called with are words for people; without the call nothing else changes. */
const WORDS = ["log", "warn", "Failure", "Stop", "describe", "clean"];

/** @param {any[]} found */
function rules(found) {
  const cut = (node) => text.slice(...node.range);
  const add = (rule, [start, end], after) => {
    const before = text.slice(start, end);
    if (before.includes("\n") || before === after) return;
    found.push({ rule, start, end, before, after });
  };
  const isWords = (node) => WORDS.includes(node.callee?.name);
  const spoken = [];
  const binary = (node) => {
    const between = [node.left.range[1], node.right.range[0]];
    for (const swap of SWAPS[node.operator] ?? []) {
      const rule = /[<>=]/.test(node.operator) ? "comparison" : /[&|]/.test(node.operator) ? "logic" : "arithmetic";
      add(rule, between, text.slice(...between).replace(node.operator, swap));
    }
    if (node.operator === "??") add("logic", node.range, cut(node.right));
  };
  const condition = ({ test }) => {
    if (!test) return;
    add("negated condition", test.range, `!(${cut(test)})`);
    add("fixed condition", test.range, "false");
    add("fixed condition", test.range, "true");
  };
  const removed = (node) => add("removed statement", node.range, ";");
  return {
    skip: () => spoken,
    visitors: {
      CallExpression(node) {
        if (isWords(node)) spoken.push(node.range);
        const { property } = node.callee;
        if (Object.hasOwn(OPPOSITES, property?.name ?? "")) {
          add("swapped call", property.range, OPPOSITES[property.name]);
        }
      },
      NewExpression(node) {
        if (isWords(node)) spoken.push(node.range);
      },
      BinaryExpression: binary,
      LogicalExpression: binary,
      IfStatement: condition,
      ConditionalExpression: condition,
      WhileStatement: condition,
      UnaryExpression(node) {
        if (node.operator === "!") add("negated condition", node.range, cut(node.argument));
      },
      Literal(node) {
        if (typeof node.value === "number") {
          add("constant", node.range, String(node.value + 1));
          if (node.value > 1) add("constant", node.range, String(node.value - 1));
        }
        if (typeof node.value === "boolean") add("constant", node.range, String(!node.value));
      },
      AwaitExpression: (node) => add("removed await", node.range, cut(node.argument)),
      ExpressionStatement: removed,
      ThrowStatement: removed,
      ContinueStatement: removed,
      BreakStatement: removed,
      ReturnStatement: (node) => node.argument && add("removed statement", node.argument.range, "undefined"),
    },
  };
}

Deno.test("mutants", () => {
  const found = [];
  const { visitors, skip } = rules(found);
  Deno.lint.runPlugin({ name: "mutants", rules: { list: { create: () => visitors } } }, "script.js", text);
  const spoken = skip();
  const line = (place) => text.slice(0, place).split("\n").length;
  const kept = found.filter(({ start, end, before }) =>
    before !== "" && !spoken.some(([from, to]) => from <= start && end <= to + 1) &&
    !text.slice(0, end).endsWith("// @ts-check")
  );
  Deno.writeTextFileSync(output, JSON.stringify(kept.map((each) => ({ ...each, line: line(each.start) }))));
});
