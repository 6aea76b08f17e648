// The outcome of each device reply, for every driver. Only a reply that answers the call is a verdict. A driver without
// rows fails.
import { describe, expect, test } from '@jest/globals';
import type {
  Driver,
  DriverOperation,
  JsonValue,
  RenderContext,
  Reply,
  WireCall,
} from '../../../../subgraphs/relay/drivers/driver.ts';
import { drivers } from '../../../../subgraphs/relay/drivers/registry.ts';
import { checkedFor, operationOf } from '../support/driver-caller.ts';
import { renderContext } from '../support/render-context.ts';
import { cli, exec, http, ownId, type ReplyRows, rowsFor, rpc, rpcReply, type Verdict } from '../support/replies.ts';
import { replies as f5BigIp } from './f5-bigip/replies.ts';
import { replies as fortios } from './fortios/replies.ts';
import { replies as frr } from './frr/replies.ts';
import { replies as linuxIproute2 } from './linux-iproute2/replies.ts';
import { replies as linuxIptables } from './linux-iptables/replies.ts';
import { replies as linuxNftables } from './linux-nftables/replies.ts';
import { replies as modSecurity } from './modsecurity/replies.ts';
import { replies as neo } from './neo/replies.ts';
import { replies as netconf } from './netconf/replies.ts';
import { replies as neutron } from './neutron/replies.ts';
import { replies as onyx } from './onyx/replies.ts';
import { replies as openVswitch } from './openvswitch/replies.ts';

const rows: Readonly<Record<string, ReplyRows>> = {
  ...{ 'f5-bigip': f5BigIp, fortios, frr, 'linux-iproute2': linuxIproute2, 'linux-iptables': linuxIptables },
  ...{ 'linux-nftables': linuxNftables, modsecurity: modSecurity, neo, netconf, neutron, onyx },
  openvswitch: openVswitch,
};

test('every driver has rows', () => {
  expect(Object.keys(rows).sort()).toEqual([...drivers.keys()].sort());
});

/** The form of a row's expectation: a text, or the whole outcome. */
function told<Whole extends object>(found: Whole, wanted: string | Whole): string | Whole {
  if (typeof wanted !== 'string') return found;
  const { state, finding, code, absent } = found as Record<string, unknown>;
  const words = [state ?? finding, ...(wanted.includes(' ') ? [code] : []), ...(absent === true ? ['absent'] : [])];
  return words.filter((word) => word !== undefined).join(' ');
}

function objectOf(driver: Driver, resource: string, key?: string) {
  const of = [...driver.operations.values()].map(({ object, example, name }) =>
    object?.(checkedFor(driver, name, example)),
  );
  const found = of.find((object) => object?.resource === resource);
  return { scope: found?.scope ?? '', key: key ?? found?.key ?? 'x' };
}

/** Text, JSON of all kinds and other nonsense, for each wire. */
const bodies = [
  ...['', 'x', 'null', '[]', '[1]', '{}', '[{}]', '{"items":[1]}', '{"items":{}}', '{"token":1}', '{"code":1}'],
  ...['[{"ID":{},"Status":[]}]', '[{"vlanID":{},"portNames":7}]', '{"id":{},"kind":[]}', '{"results":[{}]}'],
  ...['{"kind":"tm:x:xcollectionstate","items":[{"name":7,"destination":[]}]}', '{"nftables":[{}]}'],
];
const statuses = [200, 201, 202, 204, 302, 400, 401, 404, 409, 500, 503];
const nonsense: Readonly<Record<Reply['kind'], readonly Reply[]>> = {
  exec: bodies.flatMap((body) => [0, 1, 255, null].map((exitCode) => exec(body, { exitCode, stderr: body }))),
  http: bodies.flatMap((body) => statuses.map((status) => http(status, body))),
  cli: bodies.map((output) => cli([{ line: 'x', output }])),
  ovsdb: bodies.map((body) => rpc({ result: body.startsWith('[') ? (JSON.parse(body) as JsonValue) : body })),
  netconf: (['lock', 'edit', 'commit', 'read', 'done'] as const).map((step) => rpcReply({ step, fault: 'x' })),
};

describe.each(Object.entries(rows))('%s', (name, row) => {
  const driver = drivers.get(name) as Driver;
  const operations = [...driver.operations.values()];
  const context = renderContext(driver, { operationId: ownId });
  const changes = operations.filter(({ effect }) => effect !== 'READ');
  const reads = operations.filter(({ effect }) => effect === 'READ');
  const readers = [...(driver.resources ?? [])];
  const { transport } = (driver.optionsSchema?.properties ?? {}) as { transport?: { enum?: readonly string[] } };
  /** One context for each wire that a backend of this driver may have. */
  const contexts = (transport?.enum ?? [undefined]).map((wire) =>
    renderContext(driver, { operationId: ownId, ...(wire === undefined ? {} : { options: { transport: wire } }) }),
  );
  const nonsenseFor = (render: (at: RenderContext) => WireCall) =>
    [...new Set(contexts.map((at) => render(at).kind))].flatMap((kind) => nonsense[kind]);
  const [any] = operations as [DriverOperation];
  /** The operation that deletes objects of this kind. */
  const about = (resource: string) =>
    changes.find((one) => one.mapping === 'deletes' && one.object?.(argsOf(one)).resource === resource) ?? any;
  const readable = (what: string) => row.readable?.includes(what) === true;

  function argsOf({ name: operation, example }: DriverOperation) {
    return checkedFor(driver, operation, example);
  }
  /** Gives the reply the call's ID where the device would. */
  const to = (reply: Reply): Reply =>
    reply.kind === 'exec' && row.verdict !== undefined
      ? { ...reply, stdout: reply.stdout.replace(row.verdict, `$& ${ownId}`) }
      : reply;

  function isVerdict(operation: DriverOperation, [what, reply, wanted, args]: Verdict): void {
    const outcome = operation.interpret(to(reply), args ?? argsOf(operation), context);
    expect([operation.name, what, told(outcome, wanted)]).toEqual([operation.name, what, wanted]);
    if ('message' in outcome) expect(outcome.message.length).toBeLessThanOrEqual(4_096);
  }

  test('a reply that answers nothing leaves a change UNKNOWN', () => {
    for (const operation of changes)
      for (const [what, reply] of rowsFor(row.unreadable, operation)) {
        isVerdict(operation, [what, reply, 'UNKNOWN UNREADABLE_REPLY']);
        const found = operation.probe?.interpret(reply, argsOf(operation), context);
        expect([operation.name, what, found?.finding ?? 'UNREADABLE']).toEqual([operation.name, what, 'UNREADABLE']);
      }
  });

  test('it fails a read, and a check of the device', () => {
    for (const operation of reads)
      for (const [what, reply] of rowsFor(row.unreadable, operation))
        if (!readable(what)) isVerdict(operation, [what, reply, 'FAILED']);
    for (const operation of changes)
      for (const [what, reply] of row.dryRuns ?? rowsFor(row.unreadable, operation)) {
        const outcome = operation.interpretDryRun?.(reply, argsOf(operation), context);
        expect([operation.name, what, outcome?.state ?? 'FAILED']).toEqual([operation.name, what, 'FAILED']);
      }
  });

  test('it proves neither presence, absence nor health', () => {
    for (const [resource, reader] of readers)
      for (const [what, reply] of rowsFor(row.unreadable, about(resource))) {
        if (readable(what)) continue;
        for (const uuid of [null, '2f1c9b1e-6f0e-4f43-9a52-3f1f2a6a7c11']) {
          const found = reader.interpret(reply, { ...objectOf(driver, resource), uuid });
          expect([resource, what, found.finding]).toEqual([resource, what, 'UNREADABLE']);
        }
      }
    for (const [what, reply] of rowsFor(row.unreadable, any))
      expect([what, driver.health.interpret(reply)]).toEqual([what, undefined]);
  });

  test('nothing throws, whatever the reply', () => {
    for (const operation of operations) {
      const args = argsOf(operation);
      for (const reply of nonsenseFor((at) => operation.render(args, at))) {
        const { state } = operation.interpret(reply, args, context);
        const refused = reply.kind === 'http' && reply.status >= 300;
        expect(['FAILED', 'UNKNOWN', ...(refused ? [] : ['SUCCEEDED', 'ACCEPTED'])]).toContain(state);
        operation.interpretDryRun?.(reply, args, context);
        operation.probe?.interpret(reply, args, context);
        for (const accepted of [{ task: 'x' }, { job: '1' }, null])
          operation.job?.interpret(reply, accepted, args, context);
      }
    }
    for (const [resource, reader] of readers)
      for (const uuid of [null, 'x']) {
        const object = { ...objectOf(driver, resource), uuid };
        for (const reply of nonsenseFor((at) => reader.render(object, at)))
          expect(reader.interpret(reply, object).finding).not.toBe('PRESENT');
      }
  });

  const verdictsOf = (operation: DriverOperation) => [
    ...rowsFor(operation.effect === 'READ' ? row.reads : row.changes, operation),
    ...(row.operations?.[operation.name] ?? []),
  ];
  const judged = operations.filter((operation) => verdictsOf(operation).length > 0);

  if (judged.length > 0)
    test.each(judged)('the verdicts of $name', (operation) => {
      for (const verdict of verdictsOf(operation)) isVerdict(operation, verdict);
    });

  const looks = readers.flatMap(([resource, reader]) =>
    [...rowsFor(row.looks, about(resource)), ...(row.objects?.[resource] ?? [])].map((look) => ({
      ...{ resource, reader, look },
    })),
  );
  if (looks.length > 0)
    test('the findings of probes', () => {
      for (const { resource, reader, look } of looks) {
        const [what, reply, wanted, key] = look;
        const found = reader.interpret(reply, { ...objectOf(driver, resource, key), uuid: null });
        expect([resource, what, told(found, wanted)]).toEqual([resource, what, wanted]);
      }
    });

  const hasJobsOrHealth = row.jobs !== undefined || row.health !== undefined;
  if (hasJobsOrHealth)
    test('the findings of jobs and of the health check', () => {
      for (const [operation, list] of Object.entries(row.jobs ?? {}))
        for (const [what, reply, wanted, args, accepted] of list) {
          const found = operationOf(driver, operation).job?.interpret(reply, accepted, args, context) ?? {};
          expect([operation, what, told(found, wanted)]).toEqual([operation, what, wanted]);
        }
      for (const [what, reply, wanted] of row.health ?? [])
        expect([what, driver.health.interpret(reply)]).toEqual([what, wanted]);
    });

  const { silent } = row;
  if (silent !== undefined)
    test('no outcome quotes a secret', () => {
      const { word, replies } = silent;
      for (const [what, reply] of replies) {
        const found = [
          ...operations.map((operation) => operation.interpret(to(reply), argsOf(operation), context)),
          ...readers.map(([resource, reader]) =>
            reader.interpret(reply, { ...objectOf(driver, resource), uuid: null }),
          ),
        ];
        for (const each of found)
          expect([what, JSON.stringify(each)]).toEqual([what, expect.not.stringContaining(word)]);
      }
    });

  test('no row names an unknown operation or object', () => {
    const named = [...Object.keys(row.operations ?? {}), ...Object.keys(row.jobs ?? {})];
    expect(named.filter((operation) => !driver.operations.has(operation))).toEqual([]);
    expect(Object.keys(row.objects ?? {}).filter((resource) => driver.resources?.has(resource) !== true)).toEqual([]);
  });
});
