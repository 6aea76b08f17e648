// An existing object is adopted, shared, verified and forgotten on the lab's real firewall, without changing the
// backend. Changes made without the relay are found.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { runProgram } from '../../../../../embedded/run-program.ts';
import { readDeviceLog } from '../../../../../lab/device-log.ts';
import { describeWithLab } from '../../../../support/machine/lab.ts';
import {
  call,
  identity,
  type RelayNode,
  RelaySystem,
  registerDevice,
  type UserErrorShape,
} from '../../support/relay-system.ts';

interface MappingShape {
  readonly id: string;
  readonly mappingState: string;
  readonly version: number;
  readonly uuid: string | null;
  readonly shared: boolean;
  readonly wantedSettings: unknown;
  readonly lastVerification: {
    readonly result: string;
    readonly differences: readonly { readonly path: string }[];
  } | null;
}
interface Payload {
  readonly mapping: MappingShape | null;
  readonly userErrors: readonly UserErrorShape[];
}

const fields = `mapping { id mappingState version uuid shared wantedSettings { name value } lastVerification { result differences { path wanted found } } }
  userErrors { code message field }`;

describeWithLab('mappings of objects on a firewall', (lab) => {
  let system: RelaySystem;
  let node: RelayNode;
  let keys = 0;

  beforeAll(async () => {
    system = await RelaySystem.start();
    node = await system.node();
    await registerDevice(node, lab().firewall, { name: 'fw' });
  });
  afterAll(() => system.stop());

  async function nft(script: string): Promise<string> {
    const done = await runProgram('ip', ['netns', 'exec', lab().firewall.namespace, 'nft', '-a', '-f', '-'], {
      input: script,
    });
    if (done.exitCode !== 0) throw new Error(done.stderr);
    return done.stdout;
  }

  const change = (mutation: string, input: object, who = identity('MEMBER')) => {
    keys += 1;
    const more = mutation === 'mappingForget' ? 'deletedId' : '';
    return node.mutate<Payload>(mutation, { idempotencyKey: `life-${keys}`, ...input }, `${more} ${fields}`, who);
  };
  const adopt = (key: string, externalId: string, more: Record<string, unknown> = {}) =>
    change('mappingAdopt', {
      ...{ backend: { name: 'fw' }, cmpObject: { type: 'tenant', externalId } },
      ...{ resource: 'address-set-element', scope: 'inet filter', objectKey: `blocked/${key}` },
      ...more,
    });
  const verify = (id: string | undefined) => change('mappingVerify', { id });
  async function writes(): Promise<number> {
    const log = await readDeviceLog(lab().deviceLogPath);
    return log.filter(({ phase, kind }) => phase === 'received' && kind === 'apply').length;
  }

  test('an existing object is adopted in its current state; a missing one is not', async () => {
    await nft('add element inet filter blocked { 10.1.0.1 }');
    const before = await writes();
    const adopted = await adopt('10.1.0.1', 'a');
    expect(adopted).toMatchObject({
      userErrors: [],
      mapping: {
        mappingState: 'ACTIVE',
        wantedSettings: expect.arrayContaining([
          { name: 'set', value: 'blocked' },
          { name: 'address', value: '10.1.0.1' },
        ]),
        lastVerification: null,
      },
    });
    expect(await adopt('10.1.0.2', 'a')).toMatchObject({ mapping: null, userErrors: [{ code: 'NOT_FOUND' }] });
    expect(await adopt('10.1.0.1', 'b')).toMatchObject({ userErrors: [{ code: 'ALREADY_MAPPED' }] });
    expect(await adopt('10.1.0.1', 'b', { shared: true })).toMatchObject({ userErrors: [{ code: 'ALREADY_MAPPED' }] });
    expect(await adopt('x', 'b', { resource: 'chain' })).toMatchObject({ userErrors: [{ code: 'NOT_SUPPORTED' }] });
    expect(await writes()).toBe(before);
  });

  test('a repetition gets its first answer, whatever the current state of object and mapping', async () => {
    await nft('add element inet filter blocked { 10.1.0.7 }');
    const adopted = await adopt('10.1.0.7', 'a', { idempotencyKey: 'adopt-again' });
    const id = adopted.mapping?.id;
    const verified = { id, idempotencyKey: 'verify-again' };
    expect(await change('mappingVerify', verified)).toMatchObject({ userErrors: [] });
    await nft('delete element inet filter blocked { 10.1.0.7 }');
    expect((await adopt('10.1.0.7', 'a', { idempotencyKey: 'adopt-again' })).mapping?.id).toBe(id);
    expect(await change('mappingForget', { id })).toMatchObject({ deletedId: id, mapping: { id } });
    expect(await change('mappingVerify', verified)).toMatchObject({ mapping: { id }, userErrors: [] });
    expect(await verify(id)).toMatchObject({ userErrors: [{ code: 'WRONG_STATE' }] });
  });

  test('an object is shared, and later has one owner again', async () => {
    await nft('add element inet filter blocked { 10.1.0.3 }');
    const first = await adopt('10.1.0.3', 'a');
    const id = first.mapping?.id;
    expect(await change('mappingShare', { id })).toMatchObject({ mapping: { shared: true } });
    const second = await adopt('10.1.0.3', 'b', { shared: true });
    expect(second).toMatchObject({ userErrors: [], mapping: { shared: true } });
    expect(await change('mappingUnshare', { id })).toMatchObject({
      userErrors: [{ code: 'ALREADY_MAPPED' }],
    });
    await change('mappingForget', { id: second.mapping?.id });
    expect(await change('mappingUnshare', { id })).toMatchObject({ mapping: { shared: false } });
    expect(await change('mappingShare', { id, expectedVersion: 1 })).toMatchObject({
      userErrors: [{ code: 'STALE_VERSION' }],
    });
  });

  test('an adopted rule is deleted as recorded, and not a later rule with its name and handle', async () => {
    const put = (rule: string) => nft(`flush chain inet filter forward; add rule inet filter forward ${rule}`);
    const words = 'comment "by-hand"';
    const adopted = async () => {
      const more = { resource: 'rule', scope: 'inet filter forward', objectKey: 'by-hand' };
      return (await adopt('', 'r', more)).mapping?.id;
    };
    const remove = (mappingId: string | undefined) =>
      call(node, 'delete', { idempotencyKey: `delete ${mappingId}`, mappingId });
    await put(`ip saddr 10.3.0.1 counter accept ${words}`);
    const first = await adopted();
    const [, handle] = /by-hand" # handle (\d+)/.exec(await nft('list ruleset')) ?? [];
    await nft(`replace rule inet filter forward handle ${handle} ip saddr 10.3.0.2 counter accept ${words}`);
    expect(await remove(first)).toMatchObject({ operation: { state: 'FAILED', deviceError: { code: 'CHANGED' } } });
    expect(await nft('list ruleset')).toContain('10.3.0.2');
    await change('mappingForget', { id: first });
    expect(await remove(await adopted())).toMatchObject({ operation: { state: 'SUCCEEDED' } });
    expect(await nft('list ruleset')).not.toContain('10.3.0.2');
  });

  test('a call without the arguments that identify its object gets them from the mapping, even required ones', async () => {
    const on = { backend: { name: 'fw' }, cmpObject: { type: 'tenant', externalId: 'address' } };
    const relay = (operation: string, args: Record<string, unknown>) =>
      call(node, 'relayCall', { ...on, operation, arguments: args, idempotencyKey: operation });
    await relay('address.create', { name: 'life-web', address: '203.0.113.80' });
    expect(await relay('address.delete', { name: 'life-web' })).toMatchObject({ operation: { state: 'SUCCEEDED' } });
  });

  test('a rule matches, drifts when it is changed on the device, and is missing when it is deleted', async () => {
    const made = await call(node, 'ruleCreate', {
      ...{ backend: { name: 'fw' }, cmpObject: { type: 'tenant', externalId: 'r' }, idempotencyKey: 'life-rule' },
      ...{ name: 'life', source: { address: '10.2.0.0/16' }, protocol: 'TCP', destinationPort: 443, action: 'DROP' },
    });
    const { id, uuid } = made.mapping ?? {};
    expect(await verify(id)).toMatchObject({ mapping: { lastVerification: { result: 'MATCHES', differences: [] } } });
    // The same finding again is not a change.
    const again = await verify(id);
    expect((await verify(id)).mapping?.version).toBe(again.mapping?.version);
    const comment = /comment "(tg:[^"]*life)"/.exec(await nft('list ruleset'))?.[1];
    await nft(
      `replace rule inet filter forward handle ${uuid} ip saddr 10.3.0.0/16 tcp dport 443 counter drop comment "${comment}"`,
    );
    expect(await verify(id)).toMatchObject({
      mapping: {
        mappingState: 'ACTIVE',
        lastVerification: { result: 'DRIFTED', differences: [{ path: 'statements' }] },
      },
    });
    await nft(`delete rule inet filter forward handle ${uuid}`);
    expect(await verify(id)).toMatchObject({ mapping: { lastVerification: { result: 'MISSING' } } });
    const { mappings } = await node.ask<{ mappings: { nodes: { id: string }[] } }>(
      '{ mappings(verifications: [MISSING, DRIFTED], cmpObject: {type: "tenant", externalId: "r"}) { nodes { id backend { transport } } } }',
    );
    expect(mappings.nodes).toEqual([{ id, backend: { transport: 'SSH' } }]);
  });

  test('a rule created again by hand with the same name is a different rule', async () => {
    const made = await call(node, 'ruleCreate', {
      ...{ backend: { name: 'fw' }, cmpObject: { type: 'tenant', externalId: 's' }, idempotencyKey: 'life-again' },
      ...{ name: 'again', action: 'ACCEPT' },
    });
    await nft(`delete rule inet filter forward handle ${made.mapping?.uuid}`);
    await nft('add rule inet filter forward accept comment "again"');
    expect(await verify(made.mapping?.id)).toMatchObject({ mapping: { lastVerification: { result: 'MISSING' } } });
  });

  test('a named address is created, found changed, and deleted by its mapping', async () => {
    const made = await node.mutate<Payload & { operation: { state: string } }>(
      'firewallAddressCreate',
      {
        ...{ backend: { name: 'fw' }, cmpObject: { type: 'tenant', externalId: 'n' }, idempotencyKey: 'life-address' },
        ...{ name: 'web', content: { address: '192.0.2.80' } },
      },
      `operation { state } ${fields}`,
    );
    expect(made).toMatchObject({
      userErrors: [],
      operation: { state: 'SUCCEEDED' },
      mapping: { mappingState: 'ACTIVE' },
    });
    const id = made.mapping?.id;
    expect(await verify(id)).toMatchObject({ mapping: { lastVerification: { result: 'MATCHES' } } });
    await nft('add element inet filter web { 192.0.2.99 }');
    expect(await verify(id)).toMatchObject({
      mapping: { lastVerification: { result: 'DRIFTED', differences: [{ path: 'address' }] } },
    });
    const gone = await call(node, 'delete', { idempotencyKey: 'life-gone', mappingId: id });
    expect(gone).toMatchObject({ operation: { state: 'SUCCEEDED' }, mapping: { mappingState: 'DELETED' } });
    expect(await nft('list ruleset')).not.toContain('set web');
  });

  test('while the outcome of a call is unknown, its object is neither adopted nor forgotten', async () => {
    await lab().faults.set({ hang: 'after', matching: '10.1.0.9' });
    const hung = await call(node, 'relayCall', {
      ...{ backend: { name: 'fw' }, cmpObject: { type: 'tenant', externalId: 'u' }, idempotencyKey: 'life-hung' },
      ...{ operation: 'setElement.add', arguments: { set: 'blocked', address: '10.1.0.9' }, deadlineMs: 300 },
    });
    await lab().faults.clear();
    expect(hung.mapping?.mappingState).toBe('UNVERIFIED');
    expect(await adopt('10.1.0.9', 'u')).toMatchObject({ userErrors: [{ code: 'OBJECT_BUSY' }] });
    expect(await change('mappingForget', { id: hung.mapping?.id })).toMatchObject({
      userErrors: [{ code: 'OBJECT_BUSY' }],
    });
  });
});
