// The SDL of a subgraph: with the directives of federation for the composition, or without them for its execution.
import {
  type FieldPart,
  fieldNamesIn,
  type GraphPlan,
  leafTypes,
  type SubgraphPlan,
  selectionsOf,
  type TypePart,
} from './graph.ts';

const link =
  'extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key", "@shareable", "@external", "@provides", "@requires", "@override", "@inaccessible", "@interfaceObject"])';

/** For the composition. */
export function subgraphSdl(plan: GraphPlan, subgraph: SubgraphPlan): string {
  const types = [...subgraph.types.values()].map((type) => printType(type, plan));
  return [link, ...types, ...leavesIn(types)].join('\n');
}

/** For execution, with the root field through which a gateway reads entities. */
export function executableSdl(subgraph: SubgraphPlan): string {
  const types = [...subgraph.types.values()].map((type) => printType(type, undefined));
  const entities = [...subgraph.types.values()].filter(
    ({ keys, kind }) => keys.some((key) => key.resolvable) && kind !== 'interface',
  );
  const query = subgraph.types.has('Query') ? 'extend type Query' : 'type Query';
  const federation =
    entities.length === 0
      ? subgraph.types.has('Query')
        ? []
        : ['type Query { _empty: Int }']
      : [
          `scalar _Any union _Entity = ${entities.map(({ name }) => name).join(' | ')}`,
          `${query} { _entities(representations: [_Any!]!): [_Entity]! }`,
        ];
  return [...types, ...leavesIn(types), ...federation].join('\n');
}

function printType(type: TypePart, plan: GraphPlan | undefined): string {
  const directives = plan === undefined ? '' : typeDirectives(type);
  if (type.kind === 'union') return `union ${type.name}${directives} = ${[...type.members].join(' | ')}`;
  const interfaces = type.implements.size === 0 ? '' : ` implements ${[...type.implements].join(' & ')}`;
  const fields = [...type.fields.values()].map((part) => {
    const { name, args, type: text } = part.field;
    const strict = part.strict && !text.endsWith('!') ? '!' : '';
    return `  ${name}${args}: ${text}${strict}${plan === undefined ? '' : fieldDirectives(type, part, plan)}`;
  });
  const keyword = type.kind === 'interface' ? 'interface' : 'type';
  return `${keyword} ${type.name}${interfaces}${directives} {\n${fields.join('\n')}\n}`;
}

function typeDirectives(type: TypePart): string {
  const keys = type.keys.map(
    ({ fields, resolvable }) => ` @key(fields: "${fields}"${resolvable ? '' : ', resolvable: false'})`,
  );
  return `${keys.join('')}${type.kind === 'interfaceObject' ? ' @interfaceObject' : ''}${type.inaccessible ? ' @inaccessible' : ''}`;
}

function fieldDirectives(type: TypePart, part: FieldPart, plan: GraphPlan): string {
  const { field, external, provides, requires, override, inaccessible } = part;
  const parts = plan.subgraphs.flatMap(({ types }) => types.get(type.name)?.fields.get(field.name) ?? []);
  const taken = parts.some((each) => each.override !== undefined);
  const resolvers =
    parts.filter((each) => !each.external || isProvided(plan, type.name, field.name)).length - (taken ? 1 : 0);
  const escaped = (text: string) => text.replaceAll('"', '\\"');
  return [
    external ? ' @external' : '',
    !external && type.kind !== 'interface' && resolvers > 1 ? ' @shareable' : '',
    provides === undefined ? '' : ` @provides(fields: "${escaped(provides)}")`,
    requires === undefined ? '' : ` @requires(fields: "${escaped(requires)}")`,
    override === undefined ? '' : ` @override(from: "${override}")`,
    inaccessible ? ' @inaccessible' : '',
  ].join('');
}

/** Whether some subgraph provides a field of that name, at a place that may have this type. */
function isProvided(plan: GraphPlan, type: string, field: string): boolean {
  return plan.subgraphs.some(
    ({ types }) =>
      types.get(type)?.fields.get(field)?.external === true &&
      [...types.values()].some(({ fields }) =>
        [...fields.values()].some(
          ({ provides }) => provides !== undefined && fieldNamesIn(selectionsOf(provides)).includes(field),
        ),
      ),
  );
}

/** Definitions of the enums, scalars and inputs that the text uses, also through others. */
function leavesIn(texts: readonly string[]): readonly string[] {
  const found = new Set<string>();
  const look = (text: string) => {
    for (const [name, definition] of Object.entries(leafTypes)) {
      if (found.has(name) || !new RegExp(`\\b${name}\\b`).test(text)) continue;
      found.add(name);
      look(definition);
    }
  };
  for (const text of texts) look(text);
  return [...found].map((name) => leafTypes[name] ?? '');
}
