// Act 1: two calls of a device, one with an answer and one without.
import { randomUUID } from 'node:crypto';
import type { FirewallAddressSetElementAddInput } from '../../../generated/cli/graphql.ts';
import { graphql } from '../../../generated/cli/index.ts';
import type { Trouble } from '../../../lab/device.ts';
import { CommandFailure } from '../../failures.ts';
import { askLab } from '../../lab-client.ts';
import type { Act, Place } from '../act.ts';

const addDocument = graphql(`
  mutation DemoAddressAdd($input: FirewallAddressSetElementAddInput!) {
    firewallAddressSetElementAdd(input: $input) {
      operation { id state wireCall deviceError { code message } } userErrors { code message field }
    }
  }
`);
const removeDocument = graphql(`
  mutation DemoAddressRemove($input: FirewallAddressSetElementRemoveInput!) {
    firewallAddressSetElementRemove(input: $input) { operation { id state } userErrors { code message field } }
  }
`);
const settleDocument = graphql(`
  mutation DemoSettle($input: RelayOperationSettleInput!) {
    relayOperationSettle(input: $input) {
      operation { id state stateSource evidence { finding } } userErrors { code message field }
    }
  }
`);

const part = 'firewall';
const backend = { name: 'lab-firewall' };
const set = 'blocked';
const silentMs = 2_000;

export const callsAct: Act = {
  number: 1,
  title: 'a call that is answered, and one that is not',
  part,
  needsRoot: 'the firewall is a network namespace',
  takes: 'some seconds',
  async play(place) {
    const { stage, client, run } = place;
    const cmpObject = { type: 'demo', externalId: run };
    // 203.0.113.0/24 and 198.51.100.0/24 are for documentation (RFC 5737).
    const [answered, silent] = ['203.0.113.77', '198.51.100.77'];
    const add = (address: string, more: Partial<FirewallAddressSetElementAddInput> = {}) =>
      client.mutate(addDocument, { idempotencyKey: randomUUID(), backend, cmpObject, set, address, ...more });
    await stage.say(
      `A CMP has ${answered} blocked at a real firewall (nftables behind SSH), for its object demo/${run}.`,
    );
    removeLater(place, answered);
    const first = await stage.step(
      `firewallAddressSetElementAdd ${answered}`,
      () => add(answered),
      ({ operation }) =>
        `${operation?.state}. One call went over the wire: ${operation?.wireCall?.split('\n')[0] ?? ''}`,
    );
    if (first.operation?.state !== 'SUCCEEDED') throw new CommandFailure(`the call is ${first.operation?.state}`);

    await stage.say('Now the firewall carries out a call, and does not answer.');
    stage.undo('bin/tidegate lab trouble firewall none', () => trouble(place, 'none'));
    await stage.step('bin/tidegate lab trouble firewall hang', () => trouble(place, 'hang'));
    removeLater(place, silent);
    const second = await stage.step(
      `firewallAddressSetElementAdd ${silent}, deadline ${silentMs / 1_000} s`,
      () => add(silent, { deadlineMs: silentMs }),
      ({ operation }) =>
        `${operation?.state}. Nobody can know whether it took effect: it is never sent again by itself`,
    );
    if (second.operation?.state !== 'UNKNOWN') throw new CommandFailure(`the call is ${second.operation?.state}`);
    const { id } = second.operation;
    await stage.step('bin/tidegate lab trouble firewall none', () => trouble(place, 'none'));
    const settled = await stage.step(
      'relayOperationSettle: one read of the firewall',
      () => client.mutate(settleDocument, { id }),
      ({ operation }) => `${operation?.state}, by ${operation?.stateSource}: the address is there`,
    );
    if (settled.operation?.state !== 'SUCCEEDED')
      throw new CommandFailure(`after the read, the call is ${settled.operation?.state}`);
    stage.leave(`the calls in the journal, of the CMP object demo/${run}: the journal is history`);
  },
  yours: [
    'bin/tidegate lab trouble firewall hang',
    'bin/tidegate operations list',
    'bin/tidegate operations settle ID',
    'bin/tidegate lab trouble firewall none',
  ],
};

async function trouble({ data }: Place, wish: Trouble): Promise<void> {
  await askLab(data, { do: 'trouble', part, trouble: wish }, new AbortController().signal);
}

/** The removal of a missing address fails at the device, which is harmless. */
function removeLater({ stage, cleaner }: Place, address: string): void {
  stage.undo(`firewallAddressSetElementRemove ${address}`, async () => {
    const input = { idempotencyKey: randomUUID(), backend, set, address };
    const { operation } = await cleaner.mutate(removeDocument, input);
    return operation?.state === 'UNKNOWN' ? `${address} may still be blocked at the firewall` : undefined;
  });
}
