/**
 * Finding the part for which a value was refused: one that is too large, or a revoked proxy where the encoding failed with a `TypeError`; engines raise one
 * for every use of such a proxy, and so may any accessor.
 *
 * Only data properties are looked at, so no accessor runs a second time. Traps of other proxies may run; what they throw ends the search.
 */

type Member = (path: string, key: string) => string;

/** The path of the first revoked proxy; null if there is none. `member` writes the path of a property. */
export function findRevoked(value: unknown, path: string, member: Member): string | null {
  return findWhere(value, path, member, (one) => typeof one === "object" && one !== null && isRevoked(one), Infinity)?.[0] ?? null;
}

/** Path and value of the first part that is `wanted`; null if there is none among so many. */
export function findWhere(value: unknown, path: string, member: Member, wanted: (part: unknown) => boolean, most: number): [path: string, part: unknown] | null {
  const seen = new Set<unknown>();
  let looks = 0;
  const find = (one: unknown, at: string): [string, unknown] | null => {
    if (looks++ === most) throw new RangeError("too many parts");
    if (seen.has(one)) return null;
    if (wanted(one)) return [at, one];
    if (typeof one !== "object" || one === null || ArrayBuffer.isView(one)) return null;
    seen.add(one);
    for (const [item, there] of inside(one, at, member, most)) {
      const found = find(item, there);
      if (found !== null) return found;
    }
    return null;
  };
  try {
    return find(value, path);
  } catch {
    return null;
  }
}

/** `Array.isArray` looks through proxies without asking them. */
function isRevoked(value: object): boolean {
  try {
    Array.isArray(value);
    return false;
  } catch {
    return true;
  }
}

function* inside(value: object, path: string, member: Member, most: number): Generator<[unknown, string]> {
  let i = 0;
  if (value instanceof Map) {
    for (const [key, item] of value as Map<unknown, unknown>) {
      yield [key, `${path}.keys()[${i}]`];
      yield [item, typeof key === "string" ? `${path}.get(${JSON.stringify(key)})` : `${path}.values()[${i}]`];
      i++;
    }
  } else if (value instanceof Set) {
    for (const item of value as Set<unknown>) yield [item, `${path}.values()[${i++}]`];
  } else {
    // Names of elements take far more memory than the array.
    const keys = Array.isArray(value) && value.length > most ? Array.from({ length: most }, (_, index) => String(index)) : Object.getOwnPropertyNames(value);
    for (const key of keys) {
      const property = Object.getOwnPropertyDescriptor(value, key);
      if (property !== undefined && "value" in property) yield [property.value, Array.isArray(value) ? `${path}[${key}]` : member(path, key)];
    }
  }
}
