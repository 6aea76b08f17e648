// The trial of healing. A small run finds no fault, and the trial finds the faults that this test plants.
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from '@jest/globals';
import { newUuid } from '../../platform/values/ids.ts';
import { disturbances, faultsOn, type Happening, steps } from '../../trials/lb-heal/faults.ts';
import type { Site } from '../../trials/lb-heal/site.ts';
import { runHealTrials } from '../../trials/lb-heal.ts';
import { waitFor } from '../support/machine/temporary-folder.ts';

const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 1e9));
const quiet = { none: async () => undefined };

test('after a HAProxy hangs and the database is killed, everything returns to its required state', async () => {
  const found = await runHealTrials({
    ...{ seed, trials: 1, network: 'loopback' },
    faults: { stopped: faultsOn('loopback').stoppedBackAfter as Happening },
    disturbances: { mariadbKilled: disturbances.mariadbKilled as Happening },
  });
  expect(found).toEqual({
    ...{ trials: 1, double: 0, orphans: 0, wrongDns: 0, emptyDns: 0, stuck: 0, unhealed: 0 },
    findings: [],
  });
}, 180_000);

/** Nothing repairs it. */
async function sabotage({ site, balancerId }: Parameters<Happening>[0]): Promise<void> {
  const { db } = site.ground;
  for (const child of [...site.workers, site.control]) await child.kill();
  const { hostName } = await site.balancer(balancerId);
  await site.nsupdate(`update add ${hostName}. 1 A 192.0.2.1`);
  await seen(site, hostName, (answer) => answer.includes('192.0.2.1'));
  await site.nsupdate(`update delete ${hostName}. A`);
  await seen(site, hostName, (answer) => answer.length === 0);
  await db.execute("UPDATE lb_load_balancer SET wanted_nodes = 5, provisioning_status = 'ERROR' WHERE id = ?", [
    balancerId,
  ]);
  await db.execute("INSERT INTO lb_address (scope, address, node_id) VALUES (?, '192.0.2.2', ?)", [
    newUuid(),
    newUuid(),
  ]);
  const [node] = await site.nodes(balancerId);
  // Its host is not notified.
  await db.execute("UPDATE lb_node SET state = 'DELETED' WHERE id = ?", [node?.id ?? '']);
  for (const name of ['one', 'other'])
    await db.execute(
      `INSERT INTO lb_node (id, project_id, load_balancer_id, name, state, connections, threads, replaces_id)
      SELECT ?, project_id, load_balancer_id, ?, 'DELETED', 1, 1, id FROM lb_node WHERE id = ?`,
      [newUuid(), name, node?.id ?? ''],
    );
}

/** Long enough for the trial to notice. */
async function seen(site: Site, name: string, is: (answer: readonly string[]) => boolean): Promise<void> {
  await waitFor('the answer', async () => {
    const answer = await site.ask(name, 'A');
    return answer !== undefined && is(answer);
  });
  // The trial polls every 100 ms, and reports its observations only at its end.
  await sleep(2_000);
}

test('each key counts the planted faults', async () => {
  const { findings, ...figures } = await runHealTrials({
    ...{ seed, trials: 1, network: 'loopback', faults: { sabotage }, disturbances: quiet, settleMs: 0 },
  });
  expect(figures).toEqual({
    ...{ trials: 1, double: 1, orphans: 2, wrongDns: expect.any(Number), emptyDns: expect.any(Number) },
    ...{ stuck: 1, unhealed: 1 },
  });
  expect([figures.wrongDns, figures.emptyDns].every((count) => count > 0)).toBe(true);
  const text = findings.join('\n');
  for (const what of [
    '192.0.2.1 was answered',
    'no address was answered',
    '192.0.2.2',
    'at once',
    '5 nodes are wanted',
  ])
    expect(text).toContain(what);
  expect(text).toContain('ERROR');
}, 120_000);

test('every fault and every step that the trial promises is there', () => {
  expect(Object.keys(faultsOn('netns'))).toEqual(
    expect.arrayContaining([
      ...['haproxyKilled', 'stoppedBackBefore', 'stoppedBackAfter', 'nodeUnplugged', 'nodeUnpluggedForLong'],
      ...['hostUnplugged', 'hostLost', 'hostLostForLong', 'lbhostKilled', 'halfGone'],
    ]),
  );
  expect(Object.keys(disturbances)).toEqual(
    expect.arrayContaining([
      ...['workerKilled', 'workerPaused', 'controlKilled', 'redisKilled', 'mariadbKilled', 'dnsKilled'],
    ]),
  );
  expect(Object.keys(steps)).toEqual(expect.arrayContaining(['found', 'decided', 'made', 'checked', 'named']));
});
