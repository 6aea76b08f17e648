// `tidegate l7rules`: the conditions of an L7 policy, all of which must match.
import { randomUUID } from 'node:crypto';
import { graphql } from '../../../generated/cli/index.ts';
import { balancerOption, disableOption, enabledBy, enableOption, settled } from '../../balancer.ts';
import { CommandFailure, UsageError } from '../../failures.ts';
import type { GraphClient } from '../../graph-client.ts';
import { kindVerb } from '../../kinds/kind-noun.ts';
import { choice, flag, giving, needed, neededText, text } from '../../option.ts';
import { commonOptions, remoteVerb } from '../../remote-verb.ts';
import { listVerb } from '../../row-verbs.ts';
import type { Noun } from '../../verb.ts';
import { listenerOption, policyOf, readListener } from '../l7policies/policy.ts';
import { previewed, previewOption } from '../loadbalancers/preview.ts';

const createDocument = graphql(`
  mutation L7RulesCreate($input: L7RuleCreateInput!) {
    l7RuleCreate(input: $input) { l7Rule { id } commit { token } userErrors { code message field } }
  }
`);
const updateDocument = graphql(`
  mutation L7RulesUpdate($input: L7RuleUpdateInput!) {
    l7RuleUpdate(input: $input) { l7Rule { id loadBalancer { id } } commit { token } userErrors { code message field } }
  }
`);
const deleteDocument = graphql(`
  mutation L7RulesDelete($input: L7RuleDeleteInput!) {
    l7RuleDelete(input: $input) { commit { token } userErrors { code message field } }
  }
`);

const placeDocument = graphql(`
  query L7RulesPlace($id: ID!) { l7Rule(id: $id) { loadBalancer { id } } }
`);

async function balancerOf(client: GraphClient, id: string): Promise<string> {
  const { l7Rule } = await client.query(placeDocument, { id });
  if (l7Rule === null) throw new CommandFailure(`there is no rule '${id}'`);
  return l7Rule.loadBalancer.id;
}

const types = [
  ...(['HOST_NAME', 'PATH', 'FILE_TYPE', 'HEADER', 'COOKIE'] as const),
  ...(['SSL_CONN_HAS_CERT', 'SSL_VERIFY_RESULT', 'SSL_DN_FIELD'] as const),
] as const;
type RuleType = (typeof types)[number];
const keyed: ReadonlySet<RuleType> = new Set(['HEADER', 'COOKIE', 'SSL_DN_FIELD']);
const compareTypes = ['EQUAL_TO', 'STARTS_WITH', 'ENDS_WITH', 'CONTAINS', 'REGEX'] as const;

const { project, wait } = commonOptions;
const place = {
  ...{ loadbalancer: balancerOption, listener: listenerOption, project },
  policy: neededText('NAME', 'L7 policy, by name or id.'),
} as const;
const type = giving(['ruleType'], choice('TYPE', types, `${types.join(', ')}.`));
const compare = giving(['compareType'], choice('COMPARISON', compareTypes, `${compareTypes.join(', ')}.`));
const key = text('KEY', 'Name of the header, cookie or field, for HEADER, COOKIE and SSL_DN_FIELD.');

const list = listVerb({
  summary: 'List the rules of an L7 policy.',
  options: place,
  async read({ client, options }) {
    const { listener } = await readListener(client, options);
    return policyOf(listener, options.policy).l7Rules;
  },
  columns: {
    TYPE: 'ruleType',
    KEY: 'key',
    COMPARISON: ({ invert, compareType }) => `${invert ? 'not ' : ''}${compareType}`,
    VALUE: 'value',
    STATE: ({ enabled }) => (enabled ? 'ON' : 'DISABLED'),
    ID: 'id',
  },
});

const create = remoteVerb({
  summary: 'Add a rule to an L7 policy.',
  takes: [],
  options: {
    ...place,
    ...{ type: needed(type), compare: needed(compare), key, value: neededText('TEXT', 'Value to compare with.') },
    ...{ invert: flag('It matches where the comparison fails.'), preview: previewOption, wait },
  },
  async run(call) {
    const { client, options, printer } = call;
    const { balancer, listener } = await readListener(client, options);
    const l7PolicyId = policyOf(listener, options.policy).id;
    const { type: compared, compare: compareType, key: named, value, invert } = options;
    const input = { l7PolicyId, ruleType: compared, compareType, key: named, value, invert };
    if (await previewed(call, balancer.id, { l7RuleCreate: input })) return;
    const { l7Rule, commit } = await client.mutate(createDocument, { idempotencyKey: randomUUID(), ...input });
    await settled(call, commit, balancer.id);
    if (l7Rule === null) throw new CommandFailure('the server gave no rule');
    if (options.json) await printer.json(l7Rule);
    else await printer.line(printer.idText(l7Rule.id));
  },
});

const update = remoteVerb({
  summary: 'Change a rule; options left out change nothing.',
  takes: ['ID'],
  options: {
    ...{ type, compare, key, value: text('TEXT', 'Value to compare with.') },
    ...{ on: enableOption, off: disableOption, preview: previewOption, wait },
  },
  async run(call) {
    const { client, names, options, printer } = call;
    const changes = {
      ...{ ruleType: options.type, compareType: options.compare, key: keyFor(options), value: options.value },
      enabled: enabledBy(options),
    };
    if (Object.values(changes).every((each) => each === undefined)) throw new UsageError('nothing to change was given');
    const input = { id: names[0], ...changes };
    if (options.preview && (await previewed(call, await balancerOf(client, names[0]), { l7RuleUpdate: input }))) return;
    const { l7Rule, commit } = await client.mutate(updateDocument, { idempotencyKey: randomUUID(), ...input });
    await settled(call, commit, l7Rule?.loadBalancer.id);
    if (options.json) await printer.json(l7Rule);
    else await printer.line(`${names[0]} is changed`);
  },
});

/** A rule of a type without a key would be refused if it kept the previous type's key. */
function keyFor(given: { readonly type: RuleType | undefined; readonly key: string | undefined }) {
  return given.key ?? (given.type === undefined || keyed.has(given.type) ? undefined : null);
}

const remove = remoteVerb({
  summary: 'Delete a rule.',
  takes: ['ID'],
  options: { preview: previewOption, wait },
  async run(call) {
    const { client, names, options, printer } = call;
    const id = names[0];
    // The deleted rule no longer names its load balancer.
    const balancer = options.preview || options.wait !== undefined ? await balancerOf(client, id) : undefined;
    if (balancer !== undefined && (await previewed(call, balancer, { l7RuleDelete: { id } }))) return;
    const { commit } = await client.mutate(deleteDocument, { idempotencyKey: randomUUID(), id });
    await settled(call, commit, balancer);
    if (options.json) await printer.json({ id, deleted: true });
    else await printer.line(`${id} is deleted`);
  },
});

export const l7Rules: Noun = { list, show: kindVerb('L7Rule', 'show'), create, update, delete: remove };
