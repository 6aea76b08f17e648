// Another project's objects look nonexistent, at every root field and entity of the relay.
import { expect, test } from '@jest/globals';
import type { Identity } from '../../../platform/caller/identity.ts';
import { isolation } from '../support/isolation.ts';
import { cmpObject, owner, relay, stranger } from './contract.ts';

const run = isolation(relay);

test('a similar name is suggested only to callers who may see it', async () => {
  const nearly = async (who: Identity) => {
    const input = { backend: { name: 'secret-fv' }, cmpObject, idempotencyKey: 'near', name: 'rule', action: 'DROP' };
    const text =
      'mutation ($input: FirewallRuleCreateInput!) { call: firewallRuleCreate(input: $input) { userErrors { code message } } }';
    const { data } = await run.world.run(who, text, { input });
    const { call } = data as { call: { userErrors: readonly { code: string; message: string }[] } };
    return call.userErrors.map(({ code, message }) => `${code}: ${message}`);
  };
  expect(await nearly(owner)).toEqual(['NOT_FOUND: there is no backend secret-fv; secret-fw is near']);
  expect(await nearly(stranger)).toEqual(['NOT_FOUND: there is no backend secret-fv']);
});
