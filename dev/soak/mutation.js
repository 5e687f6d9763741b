// Lists one-line mutants of a script, and its places: parts of the text that run or do not run as a whole. Writes JSON:
// `mutants` (rule, line, start, end, before, after, place) and `places` (start, end, open, close: what makes it report
// that it ran). Deno gives its parser to lint plugins in tests only, hence the form of a test.
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
/** A number from here on is a size or a time, chosen by measure: one more or less is no mistake. A tenth of it is. */
const SIZE = 10;

/** @param {any[]} found @param {any[]} places */
function rules(found, places) {
  const cut = (node) => text.slice(...node.range);
  const add = (rule, [start, end], after) => {
    const before = text.slice(start, end);
    if (before.includes("\n") || before === after) return;
    found.push({ rule, start, end, before, after });
  };
  const isWords = (node) => WORDS.includes(node.callee?.name);
  const spoken = [];
  const operands = (node) => {
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
  /** `return await` outside of a `try`: the caller awaits the same promise. */
  const isReturnedAnyway = (node) => {
    if (node.parent.type !== "ReturnStatement") return false;
    let outer = node.parent;
    while (!/Function/.test(outer.type) && outer.type !== "TryStatement") outer = outer.parent;
    return outer.type !== "TryStatement";
  };
  const removed = (node) => add("removed statement", node.range, ";");
  const place = (node, open, close) => node && places.push({ start: node.range[0], end: node.range[1], open, close });
  const expression = (node) => place(node, "(HERE,", ")");
  const body = (node) => {
    if (!node) return;
    if (node.type === "BlockStatement") node.body.forEach((each) => place(each, "HERE;", ""));
    else place(node, "{HERE;", "}");
  };
  const anyFunction = (node) => node.body?.type === "BlockStatement" ? body(node.body) : expression(node.body);
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
      BinaryExpression: operands,
      LogicalExpression(node) {
        operands(node);
        expression(node.right);
      },
      IfStatement(node) {
        condition(node);
        body(node.consequent);
        body(node.alternate);
      },
      ConditionalExpression(node) {
        condition(node);
        expression(node.consequent);
        expression(node.alternate);
      },
      WhileStatement(node) {
        condition(node);
        body(node.body);
      },
      ForStatement: (node) => body(node.body),
      ForOfStatement: (node) => body(node.body),
      TryStatement(node) {
        body(node.block);
        body(node.handler?.body);
        body(node.finalizer);
      },
      FunctionDeclaration: anyFunction,
      FunctionExpression: anyFunction,
      ArrowFunctionExpression: anyFunction,
      UnaryExpression(node) {
        if (node.operator === "!") add("negated condition", node.range, cut(node.argument));
      },
      Literal(node) {
        if (typeof node.value === "number") {
          const isSize = node.value >= SIZE;
          add("constant", node.range, String(isSize ? node.value * 10 : node.value + 1));
          if (node.value > 1) {
            add("constant", node.range, String(isSize ? Math.round(node.value / 10) : node.value - 1));
          }
        }
        if (typeof node.value === "boolean") add("constant", node.range, String(!node.value));
      },
      AwaitExpression(node) {
        add(isReturnedAnyway(node) ? "nothing changed" : "removed await", node.range, cut(node.argument));
      },
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
  const places = [];
  const { visitors, skip } = rules(found, places);
  Deno.lint.runPlugin({ name: "mutants", rules: { list: { create: () => visitors } } }, "script.js", text);
  const spoken = skip();
  const line = (at) => text.slice(0, at).split("\n").length;
  // Replaced at deployment.
  const parameters = text.indexOf("\nconst PARAMETERS = ");
  const isParameter = (at) => parameters >= 0 && at > parameters && at < text.indexOf("\n", parameters + 1);
  const kept = found.filter(({ start, end, before }) =>
    before !== "" && !isParameter(start) && !spoken.some(([from, to]) => from <= start && end <= to + 1) &&
    !text.slice(0, end).endsWith("// @ts-check")
  );
  const size = ({ start, end }) => end - start;
  /** The smallest place around; -1: what runs always. */
  const around = ({ start, end }) =>
    places.reduce(
      (best, place, n) =>
        place.start <= start && end <= place.end && (best < 0 || size(place) < size(places[best])) ? n : best,
      -1,
    );
  const mutants = kept.map((each) => ({ ...each, line: line(each.start), place: around(each) }));
  Deno.writeTextFileSync(output, JSON.stringify({ mutants, places }));
});
