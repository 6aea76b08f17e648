// The lengths of the lists in an introspection (GraphQL specification, section "Introspection"), derived from the schema itself.
import {
  type GraphQLNamedType,
  type GraphQLSchema,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isObjectType,
  isUnionType,
} from 'graphql';

/** `all`: total length of the lists of all types. `most`: the longest one. */
interface Length {
  readonly all: number;
  readonly most: number;
}

const typeLists = ['fields', 'inputFields', 'enumValues', 'interfaces', 'possibleTypes'] as const;

export class IntrospectionSize {
  readonly #types: number;
  readonly #directives: number;
  readonly #ofType: ReadonlyMap<string, Length>;
  readonly #arguments: Length;

  constructor(schema: GraphQLSchema) {
    const types = Object.values(schema.getTypeMap());
    this.#types = types.length;
    this.#directives = schema.getDirectives().length;
    this.#ofType = new Map(typeLists.map((list) => [list, lengthOf(types.map((type) => countOf(schema, type, list)))]));
    const fields = types.flatMap((type) => (hasFields(type) ? Object.values(type.getFields()) : []));
    this.#arguments = lengthOf([...fields, ...schema.getDirectives()].map(({ args }) => args.length));
  }

  /**
   * The number of items of a field of an introspection type. 1 if it is not a list. `ofAll`: its parents are all types of the schema, or all their
   * fields, so that the average is exact. Otherwise the parent may be the one with the longest list.
   */
  items(parent: string, field: string, ofAll: boolean): number {
    if (parent === '__Schema') return field === 'types' ? this.#types : field === 'directives' ? this.#directives : 1;
    if (parent === '__Directive') return field === 'args' || field === 'locations' ? this.#arguments.most + 1 : 1;
    if (parent === '__Field' && field === 'args')
      return ofAll ? this.#arguments.all / Math.max(1, this.#ofType.get('fields')?.all ?? 1) : this.#arguments.most;
    const length = parent === '__Type' ? this.#ofType.get(field) : undefined;
    if (length === undefined) return 1;
    return ofAll ? length.all / this.#types : length.most;
  }
}

function lengthOf(counts: readonly number[]): Length {
  return { all: counts.reduce((sum, count) => sum + count, 0), most: Math.max(0, ...counts) };
}

function hasFields(type: GraphQLNamedType) {
  return isObjectType(type) || isInterfaceType(type);
}

function countOf(schema: GraphQLSchema, type: GraphQLNamedType, list: (typeof typeLists)[number]): number {
  if (list === 'fields') return hasFields(type) ? Object.keys(type.getFields()).length : 0;
  if (list === 'inputFields') return isInputObjectType(type) ? Object.keys(type.getFields()).length : 0;
  if (list === 'enumValues') return isEnumType(type) ? type.getValues().length : 0;
  if (list === 'interfaces') return hasFields(type) ? type.getInterfaces().length : 0;
  return isUnionType(type) || isInterfaceType(type) ? schema.getPossibleTypes(type).length : 0;
}
