// A subgraph's schema whose resolvers answer at random, but always the same at the same place: values, nulls, errors, promises, and values of
// a wrong type. Each call is recorded.
import { hash } from 'node:crypto';
import { buildSubgraphSchema } from '@apollo/subgraph';
import {
  type GraphQLAbstractType,
  type GraphQLObjectType,
  type GraphQLOutputType,
  type GraphQLSchema,
  getNamedType,
  getNullableType,
  isAbstractType,
  isEnumType,
  isLeafType,
  isListType,
  isNonNullType,
  isObjectType,
  isScalarType,
  Kind,
  parse,
  type ResponsePath,
} from 'graphql';
import { refuseNullWithoutError } from '../../../../../platform/graph/semantic-non-null.ts';
import { countPages } from '../../../../../platform/pages/page-counts.ts';

export interface RandomSubgraph {
  readonly schema: GraphQLSchema;
  /** The calls of all resolvers, in order. */
  readonly calls: string[];
}

/**
 * Marks a place in which nothing fails. A list of required items has several calm items or a single one. If one item fails at once,
 * graphql-js drops the others, and nothing handles their later errors.
 */
const calm = '~';

/** A number from 0 to 999. */
function draw(...words: readonly (string | number)[]): number {
  return Number.parseInt(hash('md5', words.join('\0')).slice(0, 8), 16) % 1000;
}

export function randomSubgraph(sdl: string, seed: number): RandomSubgraph {
  const calls: string[] = [];
  const document = parse(sdl);
  const entities = document.definitions.flatMap((definition) =>
    definition.kind === Kind.OBJECT_TYPE_DEFINITION && definition.directives?.some(({ name }) => name.value === 'key')
      ? [definition.name.value]
      : [],
  );
  let schema: GraphQLSchema;
  const resolvers = Object.fromEntries(
    entities.map((name) => [
      name,
      {
        __resolveReference(reference: object) {
          const place = JSON.stringify(reference);
          calls.push(`${name} ${place}`);
          return valueAt(schema.getType(name) as GraphQLObjectType, place);
        },
      },
    ]),
  );
  schema = buildSubgraphSchema([{ typeDefs: document, resolvers }]);

  const valueAt = (type: GraphQLOutputType, place: string): unknown => {
    const chance = draw(seed, place, 'kind');
    if (place.includes(calm))
      return chance < 500
        ? later(plainValueAt(getNullableType(type), place), chance % 4)
        : plainValueAt(getNullableType(type), place);
    if (chance < 20) throw new Error(`thrown at ${place}`);
    if (chance < 40) return Promise.reject(new Error(`rejected at ${place}`));
    if (chance < 50) return new Error(`returned at ${place}`);
    if (chance < (isNonNullType(type) ? 60 : 120)) return chance % 2 === 0 ? null : undefined;
    if (chance < 135) return { odd: true };
    const value = plainValueAt(getNullableType(type), place);
    return chance < 500 ? later(value, chance % 4) : value;
  };

  const plainValueAt = (type: GraphQLOutputType, place: string): unknown => {
    if (isListType(type)) {
      const length = draw(seed, place, 'length') % 4;
      const below = length > 1 && isNonNullType(type.ofType) ? `${place}${calm}` : place;
      const items = Array.from({ length }, (_, index) => itemOf(type.ofType, `${below}[${index}]`));
      return draw(seed, place, 'set') < 200 ? new Set(items) : items;
    }
    if (isAbstractType(type)) return objectOf(typeOf(type, place), place);
    if (isObjectType(type)) return objectOf(type, place);
    const isOdd = !place.includes(calm) && draw(seed, place, 'odd') < 50;
    if (isEnumType(type))
      return isOdd ? 'NO_SUCH' : type.getValues()[draw(seed, place) % type.getValues().length]?.value;
    const number = draw(seed, place, 'leaf');
    switch (isScalarType(type) ? type.name : '') {
      case 'Int':
        return isOdd ? number + 0.5 : number < 100 ? String(number) : number;
      case 'Float':
        return isOdd ? Number.NaN : number / 8;
      case 'Boolean':
        return number < 100 ? number : number % 2 === 0;
      case 'ID':
        return number < 200 ? number : `id-${number}`;
      default:
        return isOdd ? { an: 'object' } : `text ${number}`;
    }
  };

  /** A list may contain promises and errors. */
  const itemOf = (type: GraphQLOutputType, place: string): unknown => {
    try {
      const value = valueAt(type, place);
      // If nothing awaits the promise, its error must not count as unhandled.
      if (value instanceof Promise) value.catch(() => undefined);
      return value;
    } catch (error) {
      return error;
    }
  };

  const typeOf = (type: GraphQLAbstractType, place: string): string | GraphQLObjectType => {
    const possible = schema.getPossibleTypes(type);
    const chance = draw(seed, place, 'type') + (place.includes(calm) ? 1000 : 0);
    return chance < 30 ? 'Query' : chance < 50 ? 'NoSuchType' : (possible[chance % possible.length] ?? 'NoSuchType');
  };

  const objectOf = (type: string | GraphQLObjectType, place: string): object => {
    if (typeof type === 'string') return { __typename: type };
    const object: Record<string, unknown> = { __typename: type.name, place, count: () => 5 };
    for (const { name, type: of, resolve } of Object.values(type.getFields())) {
      if (resolve !== undefined || !isLeafType(getNamedType(of))) continue;
      const value = itemOf(of, `${place}/${type.name}.${name}`);
      object[name] =
        draw(seed, place, name, 'method') < 100
          ? (args: object, _context: unknown, info: { readonly path: ResponsePath }) => {
              calls.push(`${name}() at ${pathText(info.path)} with ${JSON.stringify(args)}`);
              return value;
            }
          : value;
    }
    return object;
  };

  for (const type of Object.values(schema.getTypeMap())) {
    if (!isObjectType(type) || type.name.startsWith('_')) continue;
    for (const field of Object.values(type.getFields())) {
      if (field.name.startsWith('_')) continue;
      const isProperty = isLeafType(getNamedType(field.type)) && draw(seed, type.name, field.name) < 600;
      if (isProperty && type !== schema.getQueryType()) continue;
      field.resolve = (source: { readonly place?: string } | undefined, args, _context, info) => {
        const at = pathText(info.path);
        calls.push(`${type.name}.${field.name} of ${source?.place} at ${at} with ${JSON.stringify(args)}`);
        // The next call must not see this change.
        args.changed = true;
        return valueAt(field.type, `${source?.place ?? ''}/${at}`);
      };
    }
  }
  refuseNullWithoutError(schema);
  countPages(schema);
  return { schema, calls };
}

async function later(value: unknown, turns: number): Promise<unknown> {
  for (let turn = 0; turn < turns; turn += 1) await undefined;
  return value;
}

function pathText(path: ResponsePath | undefined): string {
  return path === undefined ? '' : `${pathText(path.prev)}/${path.typename ?? ''}.${path.key}`;
}
