// Collects what the sync script says when it stops, fails or warns. Deno gives its parser to lint plugins in tests only.
const [sources, output] = Deno.args;

const text = (node) => {
  if (node.type === "Literal" && typeof node.value === "string") return node.value;
  if (node.type === "TemplateLiteral") return node.quasis.map((quasi) => quasi.cooked).join("…");
  if (node.type === "BinaryExpression" && node.operator === "+") return text(node.left) + text(node.right);
  return "…";
};

/** The constructor or function that is called, and the texts of its arguments. */
const collector = (found) => {
  const take = (names) => (node) => {
    if (names.includes(node.callee.name)) found.push(...node.arguments.map(text));
  };
  return { create: () => ({ NewExpression: take(["Failure", "Stop"]), CallExpression: take(["warn"]) }) };
};

Deno.test("messages", () => {
  const found = [];
  const plugin = { name: "messages", rules: { collect: collector(found) } };
  for (const source of JSON.parse(Deno.readTextFileSync(sources))) Deno.lint.runPlugin(plugin, "module.js", source);
  Deno.writeTextFileSync(output, JSON.stringify(found));
});
