// `tidegate l7policies`: actions of a listener for requests that match all rules of a policy.
import { randomUUID } from 'node:crypto';
import { graphql } from '../../../generated/cli/index.ts';
import { balancerOption, disableOption, enabledBy, enableOption, settled } from '../../balancer.ts';
import { UsageError } from '../../failures.ts';
import { kindVerb } from '../../kinds/kind-noun.ts';
import { choice, integer, needed, text, type Values } from '../../option.ts';
import { commonOptions, remoteVerb } from '../../remote-verb.ts';
import { listVerb } from '../../row-verbs.ts';
import type { Noun } from '../../verb.ts';
import { deletePartVerb } from '../loadbalancers/part.ts';
import { previewed, previewOption } from '../loadbalancers/preview.ts';
import { listenerOption, type Policy, policyOf, poolIdOf, readListener } from './policy.ts';

const createDocument = graphql(`
  mutation L7PoliciesCreate($input: L7PolicyCreateInput!) {
    l7PolicyCreate(input: $input) { l7Policy { id name } commit { token } userErrors { code message field } }
  }
`);
const updateDocument = graphql(`
  mutation L7PoliciesUpdate($input: L7PolicyUpdateInput!) {
    l7PolicyUpdate(input: $input) { l7Policy { id name } commit { token } userErrors { code message field } }
  }
`);
const deleteDocument = graphql(`
  mutation L7PoliciesDelete($input: L7PolicyDeleteInput!) {
    l7PolicyDelete(input: $input) { commit { token } userErrors { code message field } }
  }
`);

const { project, wait } = commonOptions;
const place = { loadbalancer: balancerOption, listener: listenerOption, project } as const;
const action = choice(
  'ACTION',
  ['REJECT', 'REDIRECT_TO_POOL', 'REDIRECT_TO_URL', 'REDIRECT_PREFIX'],
  'REJECT, REDIRECT_TO_POOL, REDIRECT_TO_URL or REDIRECT_PREFIX.',
);
const settings = {
  position: integer('N', 'Its place in the order (1000).', { least: 1, most: 1_000 }),
  'redirect-pool': text('NAME', 'Pool, for REDIRECT_TO_POOL.'),
  'redirect-url': text('URL', 'URL, for REDIRECT_TO_URL.'),
  'redirect-prefix': text('URL', 'Prefix, for REDIRECT_PREFIX.'),
  'redirect-code': integer('CODE', 'Status of the redirect (302).', { least: 301, most: 308 }),
} as const;

const list = listVerb({
  summary: 'List the L7 policies of a listener, with their rules.',
  options: place,
  read: async ({ client, options }) => (await readListener(client, options)).listener.l7Policies,
  columns: {
    POLICY: 'name',
    POSITION: 'position',
    ACTION: 'action',
    TO: ({ redirectPool, redirectUrl, redirectPrefix }) => redirectPool?.name ?? redirectUrl ?? redirectPrefix,
    OPERATING: ({ enabled, operatingStatus }) => (enabled ? operatingStatus : 'DISABLED'),
    RULES: ({ l7Rules }) =>
      l7Rules.map(({ ruleType, compareType, value }) => `${ruleType} ${compareType} ${value}`).join(', '),
    ID: 'id',
  },
});

const create = remoteVerb({
  summary: 'Create an L7 policy. Without rules it matches nothing: add them with "tidegate l7rules create".',
  takes: ['NAME'],
  options: { ...place, action: needed(action), ...settings, preview: previewOption, wait },
  async run(call) {
    const { client, names, options, printer } = call;
    const { balancer, listener } = await readListener(client, options);
    const input = {
      ...{ listenerId: listener.id, name: names[0], action: options.action },
      ...{ position: options.position, redirectPoolId: poolIdOf(balancer, options['redirect-pool']) },
      ...{ redirectUrl: options['redirect-url'], redirectPrefix: options['redirect-prefix'] },
      redirectCode: options['redirect-code'],
    };
    if (await previewed(call, balancer.id, { l7PolicyCreate: input })) return;
    const { l7Policy, commit } = await client.mutate(createDocument, { idempotencyKey: randomUUID(), ...input });
    await settled(call, commit, balancer.id);
    if (options.json) await printer.json(l7Policy);
    else await printer.line(`${names[0]} is created`);
  },
});

const update = remoteVerb({
  summary: 'Change an L7 policy; options left out change nothing.',
  takes: ['NAME'],
  options: { ...place, action, ...settings, on: enableOption, off: disableOption, preview: previewOption, wait },
  async run(call) {
    const { client, names, options, printer } = call;
    const { balancer, listener } = await readListener(client, options);
    const changes = {
      ...{ action: options.action, position: options.position, enabled: enabledBy(options) },
      ...redirectOptions(options, poolIdOf(balancer, options['redirect-pool'])),
    };
    if (Object.values(changes).every((each) => each === undefined)) throw new UsageError('nothing to change was given');
    const { id } = policyOf(listener, names[0]);
    if (await previewed(call, balancer.id, { l7PolicyUpdate: { id, ...changes } })) return;
    const { l7Policy, commit } = await client.mutate(updateDocument, { idempotencyKey: randomUUID(), id, ...changes });
    await settled(call, commit, balancer.id);
    if (options.json) await printer.json(l7Policy);
    else await printer.line(`${names[0]} is changed`);
  },
});

type RedirectOptions = Pick<Values<typeof settings>, 'redirect-url' | 'redirect-prefix' | 'redirect-code'> & {
  readonly action: Policy['action'] | undefined;
};

/** A new action clears the fields of other actions, because the server refuses them together. */
function redirectOptions({ action, ...given }: RedirectOptions, redirectPoolId: string | undefined) {
  const unless = (...actions: readonly Policy['action'][]) =>
    action === undefined || actions.includes(action) ? undefined : null;
  return {
    redirectPoolId: redirectPoolId ?? unless('REDIRECT_TO_POOL'),
    redirectUrl: given['redirect-url'] ?? unless('REDIRECT_TO_URL'),
    redirectPrefix: given['redirect-prefix'] ?? unless('REDIRECT_PREFIX'),
    redirectCode: given['redirect-code'] ?? unless('REDIRECT_TO_URL', 'REDIRECT_PREFIX'),
  };
}

const remove = deletePartVerb({
  summary: 'Delete an L7 policy with its rules.',
  options: { ...place, preview: previewOption, wait },
  document: deleteDocument,
  change: 'l7PolicyDelete',
  async find({ client, names, options }) {
    const { balancer, listener } = await readListener(client, options);
    return { id: policyOf(listener, names[0]).id, balancer: balancer.id };
  },
});

export const l7Policies: Noun = {
  ...{ list, show: kindVerb('L7Policy', 'show'), create, update, delete: remove },
};
