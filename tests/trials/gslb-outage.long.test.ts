// The trial of outages. A small run finds no fault, and the trial finds the faults that this test plants.
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { expect, test } from '@jest/globals';
import { type Fault, faults } from '../../trials/gslb-outage/faults.ts';
import { runOutageTrials } from '../../trials/gslb-outage.ts';
import { patience } from '../support/machine/patience.ts';
import { waitFor } from '../support/machine/temporary-folder.ts';

const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 1e9));
const size = { endpoints: 2, conductors: 2, workers: 1, nameServers: 2, checkers: 1, gateway: false };
const answerMs = 20_000 * patience;

test(
  'after a conductor is killed and a database is stopped, everything returns to its required state',
  async () => {
    const { conductorKilled, mariadbStopped } = faults as Record<string, Fault>;
    const found = await runOutageTrials({
      ...{ seed, trials: 2, size, answerMs, settleMs: 120_000 * patience },
      faults: { both: (place) => both(conductorKilled as Fault, mariadbStopped as Fault)(place) },
    });
    expect(found).toEqual({
      ...{ trials: 2, unanswered: 0, emptyAnswers: 0, deadAfterConverged: 0, lostFlips: 0, diverged: 0, findings: [] },
      ...{ takeoverP99Ms: expect.any(Number), questions: expect.any(Number) },
    });
    expect(found.questions).toBeGreaterThan(0);
  },
  600_000 * patience,
);

test(
  'when a gateway is killed or stopped, a client that follows the graph through it misses nothing',
  async () => {
    const { gatewayKilled, gatewayStopped } = faults as Record<string, Fault>;
    const found = await runOutageTrials({
      ...{ seed, trials: 2, answerMs, settleMs: 120_000 * patience, size: { ...size, gateway: true } },
      faults: { one: turnsOf(gatewayKilled as Fault, gatewayStopped as Fault) },
    });
    expect(found).toMatchObject({ trials: 2, lostFlips: 0, diverged: 0, findings: [] });
  },
  600_000 * patience,
);

/** One after the other. */
function turnsOf(...all: readonly Fault[]): Fault {
  let turn = -1;
  return (place) => {
    turn += 1;
    return (all[turn % all.length] as Fault)(place);
  };
}

/** The second begins during the first, and ends before it. */
function both(first: Fault, second: Fault): Fault {
  return async (place) => {
    const end = await first(place);
    const endOther = await second(place);
    return async () => {
      await endOther();
      await end();
    };
  };
}

/** Nothing repairs it: no conductor is left, one name server is gone, and another one knows nothing. */
const sabotage: Fault = async ({ site }) => {
  for (const { child } of [...site.conductors, ...site.workers]) await child.kill();
  await site.nameServers[0]?.child.kill();
  const liar = createSocket('udp4');
  liar.on('message', (packet, from) => {
    const answer = Buffer.from(packet);
    answer[2] = 0x84;
    answer[3] = 3;
    liar.send(answer, from.port, from.address);
  });
  liar.bind(0, '127.0.0.1');
  await once(liar, 'listening');
  await site.outside.add({ name: 'liar', port: liar.address().port, fqdn: 'shop.gslb.test' });
  return async () => {
    await waitFor('it to be noticed', () => site.outside.unanswered > 0 && site.outside.emptyAnswers > 0);
    liar.close();
    // One member always lives. Otherwise a name server that answers nothing would be right.
    for (const endpoint of site.endpoints.filter(({ lives }) => lives).slice(1)) await endpoint.die();
  };
};

test(
  'each key counts the planted faults',
  async () => {
    const { findings, ...figures } = await runOutageTrials({
      ...{ seed, trials: 1, answerMs: 1_000, settleMs: 0, faults: { sabotage } },
      size: { ...size, endpoints: 4 },
    });
    expect(figures).toMatchObject({ trials: 1, deadAfterConverged: expect.any(Number), takeoverP99Ms: null });
    const { unanswered, emptyAnswers, deadAfterConverged, lostFlips, diverged } = figures;
    expect([unanswered, emptyAnswers, deadAfterConverged, lostFlips, diverged].every((count) => count > 0)).toBe(true);
    expect(findings.join('\n')).toContain('ns1 gave no answer');
  },
  300_000 * patience,
);

test('every fault that the trial promises is there', () => {
  expect(Object.keys(faults)).toEqual(
    expect.arrayContaining([
      ...['checkerKilled', 'checkerStopped', 'checkerCut', 'conductorKilled', 'conductorStopped'],
      ...[
        'gatewayKilled',
        'gatewayStopped',
        'workerKilled',
        'workerStopped',
        'mariadbKilled',
        'mariadbStopped',
        'redisKilled',
        'redisStopped',
      ],
      ...['nameServerKilled', 'nameServerStopped', 'nameServerCut', 'allButOneNameServerKilled'],
      ...['powerdnsKilled', 'powerdnsStopped'],
    ]),
  );
});
