// Compares an executor's answer with that of one schema which holds all the data.
import { type ExecutionResult, type GraphQLOutputType, isAbstractType, isListType, isNonNullType } from 'graphql';

type Path = readonly (string | number)[];

/** Without faults, it expects the same data in the same order, and no errors. With errors, see `judgeFaulty`. Undefined: no difference. */
export function judgeWhole(expected: ExecutionResult, got: ExecutionResult): string | undefined {
  const [wanted, given] = [JSON.stringify(expected.data), JSON.stringify(got.data)];
  if (wanted !== given) return firstDifference(expected.data, got.data, []) ?? 'names of fields are in another order';
  // Both refuse the request.
  if (expected.data === undefined && got.errors !== undefined) return undefined;
  const unwanted = got.errors?.find(({ path }) => !covers(expected, path));
  if (unwanted !== undefined) return `an error without a cause: ${unwanted.message} at ${unwanted.path?.join('.')}`;
  const missed = expected.errors?.find(({ path }) => !nullHasError(got, path));
  return missed === undefined ? undefined : `no error for the null at ${missed.path?.join('.')}`;
}

/**
 * With faults whose effect depends on the plan, existing values must be right. Each additional null must be allowed by its type and have an
 * error whose path leads to it. `types`: by path, of the execution without faults. `mayBeGone`: entities may be null. A link to a missing
 * object of any type needs no error, and neither do its fields (docs/graph.md).
 */
export function judgeFaulty(
  expected: ExecutionResult,
  got: ExecutionResult,
  types: ReadonlyMap<string, GraphQLOutputType>,
  mayBeGone: boolean,
): string | undefined {
  const paths = (got.errors ?? []).map(({ path }) => path);
  const nullable = (path: Path) => !isNonNullType(typeAt(types, path));
  const isLink = (path: Path) => {
    const type = typeAt(types, path);
    return type !== undefined && isAbstractType(type);
  };
  const explained = (path: Path) =>
    (mayBeGone && (isLink(path) || isLink(path.slice(0, -1)))) ||
    paths.some((of) => {
      if (of === undefined || !path.every((key, index) => of[index] === key)) return false;
      // Nothing between the null and its error may be nullable. A path without a type is not part of the answer, for example a key.
      for (let length = path.length + 1; length <= of.length; length += 1)
        if (typeAt(types, of.slice(0, length)) !== undefined && nullable(of.slice(0, length))) return false;
      return true;
    });
  const walk = (wanted: unknown, given: unknown, path: Path): string | undefined => {
    if (given === null || given === undefined) {
      if (wanted === null || wanted === undefined) return undefined;
      if (path.length > 0 && !nullable(path)) return `null at ${path.join('.')}, which can't be null`;
      return explained(path) ? undefined : `no error for the null at ${path.join('.')}`;
    }
    if (Array.isArray(wanted) && Array.isArray(given) && wanted.length === given.length)
      return firstOf(wanted.map((each, index) => () => walk(each, given[index], [...path, index])));
    // Not a scalar that is an object. Names from introspection have no type here.
    if (isObject(wanted) && isObject(given) && Object.keys(wanted).some((name) => types.has(textOf([...path, name])))) {
      if (Object.keys(wanted).join() !== Object.keys(given).join()) return `other fields at ${path.join('.')}`;
      return firstOf(Object.keys(wanted).map((name) => () => walk(wanted[name], given[name], [...path, name])));
    }
    return firstDifference(wanted, given, path);
  };
  const wrong = walk(expected.data, got.data, []);
  if (wrong !== undefined) return wrong;
  // If another subgraph returned the object, an error may also report that this subgraph's part of it could not be read. Errors that a
  // subgraph itself reports stay at their place.
  const ofGateway = (got.errors ?? []).filter(({ extensions }) => extensions?.code !== 'TRIAL');
  const unwanted = ofGateway.find(({ path }) => path !== undefined && !leadsToNull(got.data, path, 'or object'));
  return unwanted === undefined ? undefined : `an error at a value: ${unwanted.path?.join('.')}`;
}

function firstOf(looks: readonly (() => string | undefined)[]): string | undefined {
  for (const look of looks) {
    const found = look();
    if (found !== undefined) return found;
  }
  return undefined;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function textOf(path: Path): string {
  return path.map((key) => `/${key}`).join('');
}

/** The type at a path, including items in lists. */
function typeAt(types: ReadonlyMap<string, GraphQLOutputType>, path: Path): GraphQLOutputType | undefined {
  if (typeof path.at(-1) !== 'number') return types.get(textOf(path));
  const list = typeAt(types, path.slice(0, -1));
  const bare = isNonNullType(list) ? list.ofType : list;
  return isListType(bare) ? bare.ofType : undefined;
}

function leadsToNull(data: unknown, path: Path, orObject?: 'or object'): boolean {
  let at = data;
  for (const key of path) {
    if (at === null || at === undefined) return true;
    at = (at as Record<string | number, unknown>)[key];
  }
  return at === null || at === undefined || (orObject !== undefined && typeof at === 'object');
}

function covers({ data, errors = [] }: ExecutionResult, path: Path | undefined): boolean {
  return errors.length > 0 && path !== undefined && leadsToNull(data, path);
}

/** Whether some error explains a null, because the null lies on the path of the error. */
function nullHasError({ data, errors = [] }: ExecutionResult, path: Path = []): boolean {
  let length = 0;
  for (let at: unknown = data; length < path.length && at !== null && at !== undefined; length += 1)
    at = (at as Record<string | number, unknown>)[path[length] as string];
  return errors.some((error) => path.slice(0, length).every((key, index) => error.path?.[index] === key));
}

function firstDifference(wanted: unknown, given: unknown, path: Path): string | undefined {
  if (JSON.stringify(wanted) === JSON.stringify(given)) return undefined;
  if (isObject(wanted) && isObject(given) && Object.keys(wanted).join() === Object.keys(given).join())
    return firstOf(
      Object.keys(wanted).map((name) => () => firstDifference(wanted[name], given[name], [...path, name])),
    );
  if (Array.isArray(wanted) && Array.isArray(given) && wanted.length === given.length)
    return firstOf(wanted.map((each, index) => () => firstDifference(each, given[index], [...path, index])));
  const short = (value: unknown) => String(JSON.stringify(value)).slice(0, 120);
  return `at ${path.join('.')}: expected ${short(wanted)}, got ${short(given)}`;
}
