/**
 * Generated recipes over the whole list of values: what the property tests send.
 */
import fc from "fast-check";
import { VIEW_TYPES, WINDOW_BYTES } from "../fixtures/recipe.ts";
import type { ErrorNode, Node, Part, Recipe } from "../fixtures/recipe.ts";

/** Any UTF-16 units at all: mostly text that is not well-formed. */
const units = fc.array(fc.nat(0xffff), { maxLength: 12 }).map((codes) => String.fromCharCode(...codes));
const surrogates = fc.array(fc.constantFrom("\ud83d", "\ude00", "\udfff", "a", "é"), { maxLength: 6 }).map((parts) => parts.join(""));
const text = fc.oneof(
  { weight: 4, arbitrary: fc.string({ unit: "binary-ascii", maxLength: 40 }) },
  { weight: 2, arbitrary: fc.string({ unit: "binary", maxLength: 40 }) },
  { weight: 1, arbitrary: fc.constantFrom("", "\0", "\ufeff", "\ufffd", "日本語", "😀", "\u2028\u2029") },
  { weight: 1, arbitrary: units },
  { weight: 1, arbitrary: surrogates },
);

/** Few, so that shapes are met again; and what objects inherit, integers and near-integers, lone surrogates. */
const key = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom("id", "name", "x", "tags") },
  { weight: 3, arbitrary: fc.constantFrom("__proto__", "constructor", "toString", "hasOwnProperty", "length", "valueOf") },
  { weight: 3, arbitrary: fc.constantFrom("0", "1", "2", "10", "4294967294", "4294967295", "4294967296", "-1", "01", "1.5", "-0", "NaN", "") },
  { weight: 2, arbitrary: text },
);

function written(number: number): string {
  return Object.is(number, -0) ? "-0" : String(number);
}

const number = fc
  .oneof(fc.integer(), fc.integer({ min: -2, max: 3 }), fc.double(), fc.constantFrom(-0, NaN, Infinity, -Infinity, 2 ** 31, -(2 ** 31), 2 ** 53, Number.MIN_VALUE, Number.MAX_VALUE))
  .map(written);
const nearPowers = fc.tuple(fc.constantFrom(63n, 64n, 65n, 128n, 1023n, 1024n, 1025n, 5000n), fc.bigInt(-2n, 2n), fc.boolean()).map(([bits, near, minus]) => (minus ? -1n : 1n) * (2n ** bits + near));
const bigint = fc.oneof(fc.bigInt(-(2n ** 70n), 2n ** 70n), fc.bigInt(-(2n ** 300n), 2n ** 300n), nearPowers).map((value) => (value < 0n ? `-0x${(-value).toString(16)}` : `0x${value.toString(16)}`));
/** Around where the way of a string changes. */
const long = fc.tuple(fc.constantFrom("a", "é", "日", "😀", "\ud800"), fc.constantFrom(23, 24, 25, 31, 32, 33, 2047, 2048, 4096, 8191, 8192, 8193, 20_000));

const leaf: fc.Arbitrary<Part> = fc.oneof(
  { weight: 6, arbitrary: fc.tuple(fc.constant("number" as const), number) },
  { weight: 6, arbitrary: fc.tuple(fc.constant("string" as const), text) },
  { weight: 4, arbitrary: fc.tuple(fc.constant("constant" as const), fc.constantFrom("null", "undefined", "true", "false")) },
  { weight: 2, arbitrary: fc.tuple(fc.constant("bigint" as const), bigint) },
  { weight: 1, arbitrary: fc.tuple(fc.constant("symbol" as const), text) },
  { weight: 1, arbitrary: long.map(([unit, times]) => ["repeat", unit, times] as const) },
);
const node = fc.nat(30).map((n): Part => ["#", n]);
const part: fc.Arbitrary<Part> = fc.oneof({ weight: 3, arbitrary: leaf }, { weight: 4, arbitrary: node });

const entries = fc.uniqueArray(fc.tuple(key, part), { maxLength: 7, selector: ([name]) => name });
const holes = fc.oneof({ weight: 5, arbitrary: fc.integer({ min: 1, max: 3 }) }, { weight: 1, arbitrary: fc.constantFrom(1023, 1024, 1025, 70_000, 2 ** 25) });
const flags = fc.subarray(["d", "g", "i", "m", "s", "u", "y"]).map((some) => some.join(""));

const errorTypes = ["Error", "EvalError", "RangeError", "ReferenceError", "SyntaxError", "TypeError", "URIError", "AggregateError", "OwnError", "OwnTypeError"];
const ownOfError = fc.uniqueArray(fc.tuple(fc.oneof({ weight: 9, arbitrary: key }, { weight: 1, arbitrary: fc.constant("errors") }).filter((name) => !["name", "message", "stack", "cause", "code"].includes(name)), part), { maxLength: 3, selector: ([name]) => name });
const error: fc.Arbitrary<ErrorNode> = fc.record(
  {
    kind: fc.constant("error" as const),
    type: fc.constantFrom(...errorTypes),
    message: fc.option(text),
    stack: fc.option(text),
    own: ownOfError,
    name: fc.oneof(text, fc.constantFrom("AbortError", "TypeError")),
    cause: part,
    code: part,
    errors: fc.array(part, { maxLength: 3 }),
  },
  { requiredKeys: ["kind", "type", "message", "stack", "own"] },
);

const someBytes = fc.array(fc.nat(255), { maxLength: 24 });
const urls = fc.oneof(
  fc.webUrl({ withFragments: true, withQueryParameters: true, validSchemes: ["http", "https", "ftp", "ws"] }),
  fc.constantFrom("https://user:pä%20ss@ex%41mple.com:8080/a b/../c?q=ü&x#h ash", "file:///tmp/x", "data:text/plain,hello world", "mailto:a@b.c", "urn:x:y", "blob:https://a.b/c"),
  fc.constantFrom("http://[::1]:80/", "https://bücher.example/", "javascript:void 0", "foo:opaque  ?q", "foo://h/%zz?'#`<>"),
);

const nodeOf: fc.Arbitrary<Node> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ kind: fc.constantFrom("object" as const, "object" as const, "null-object" as const), entries }) },
  { weight: 5, arbitrary: fc.record({ kind: fc.constant("array" as const), items: fc.array(fc.oneof({ weight: 9, arbitrary: part }, { weight: 1, arbitrary: holes }), { maxLength: 8 }) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("numbers" as const), numbers: fc.array(number, { minLength: 1, maxLength: 9 }), times: fc.constantFrom(1, 1, 1, 1, 130, 500) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("map" as const), entries: fc.array(fc.tuple(part, part), { maxLength: 5 }) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("set" as const), items: fc.array(part, { maxLength: 5 }) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("date" as const), time: fc.oneof(fc.integer({ min: -8.64e15, max: 8.64e15 }), fc.constantFrom(NaN, 8.64e15, -8.64e15, 0)).map(written) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant("regexp" as const),
      source: fc.constantFrom("", "a/b", "[/]\\n", "\n", "(?<name>é+)", "\\u{0041}", "^$|\ud83d", "😀", "(?:)"),
      flags,
      lastIndex: fc.constantFrom(0, 0, 3, 0xffff_ffff),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("url" as const), href: urls }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant("binary" as const),
      type: fc.constantFrom("ArrayBuffer", ...VIEW_TYPES),
      bytes: someBytes,
      times: fc.constantFrom(0, 1, 1, 1, 1, 400, 3000),
      offset: fc.nat(3),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("window" as const), type: fc.constantFrom(...VIEW_TYPES), offset: fc.nat(WINDOW_BYTES), length: fc.nat(40) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("envelope" as const), header: part, body: part }) },
  { weight: 3, arbitrary: error },
);

/** Any value. */
export const recipes: fc.Arbitrary<Recipe> = fc.oneof(
  { weight: 1, arbitrary: fc.record({ tree: fc.constant(true), root: leaf, nodes: fc.constant([]) }) },
  { weight: 12, arbitrary: fc.record({ tree: fc.boolean(), root: fc.constant<Part>(["#", 0]), nodes: fc.array(nodeOf, { minLength: 1, maxLength: 16 }) }) },
);

/** How many cases, and which. A failure prints its seed: `KNIT_PROPERTY_SEED` runs it again. `KNIT_PROPERTY_TIMES` makes it that many times as many. */
export function parameters<T>(runs: number): fc.Parameters<T> {
  const { KNIT_PROPERTY_SEED: seed, KNIT_PROPERTY_TIMES: times = 1 } = process.env;
  return { numRuns: runs * Number(times), ...(seed === undefined ? {} : { seed: Number(seed) }) };
}
