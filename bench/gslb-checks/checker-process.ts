// A checker like that of the role, which counts the delays of its checks. Its targets come over the link.
// needs: fping
import { readFileSync } from 'node:fs';
import { Registry } from 'prom-client';
import { answerParent } from '../../measure/child.ts';
import { percentile } from '../../measure/statistics.ts';
import { createCheckMetrics } from '../../platform/checks/check-metrics.ts';
import { createLogger } from '../../platform/log/log.ts';
import { Peers } from '../../platform/machines/peers.ts';
import { Checker } from '../../subgraphs/gslb/agents/checker/checker.ts';
import { standardPlugins } from '../../subgraphs/gslb/agents/checker/plugins/standard-plugins.ts';
import { testEgress } from '../../tests/support/machine/egress.ts';

export interface CheckerQuestion {
  readonly start?: { readonly url: string; readonly cert: string; readonly key: string; readonly ca: string };
}

/** The numbers since the last request. */
export interface CheckerFigures {
  readonly checks: number;
  readonly inconclusive: number;
  readonly lateP99Ms: number;
  readonly targets: number;
  readonly residentMiB: number;
}

const log = createLogger({ level: 'error', pretty: false });
const registry = new Registry();
const metrics = createCheckMetrics(registry);
const counted = { checks: 0, inconclusive: 0 };
let late: number[] = [];
let checker: Checker | undefined;

answerParent(async ({ start }: CheckerQuestion): Promise<CheckerFigures> => {
  if (start !== undefined) {
    const { url, ...pem } = start;
    const tls = { ...pem, peers: new Peers(log) };
    checker = new Checker({
      ...{ vantagePoint: 'bench', version: '1', urls: [url], tls, log, registry, egress: testEgress },
      ...{ plugins: standardPlugins, resolve: async () => [], fping: '/usr/bin/fping', programs: new Map() },
      metrics: {
        ...metrics,
        began(name, of, lateMs) {
          late.push(lateMs);
          metrics.began(name, of, lateMs);
        },
        checked(name, outcome, durationMs) {
          counted.checks += 1;
          if (outcome === 'INCONCLUSIVE') counted.inconclusive += 1;
          metrics.checked(name, outcome, durationMs);
        },
      },
    });
    await checker.start();
  }
  const resident = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1];
  const figures = {
    ...counted,
    lateP99Ms: late.length === 0 ? 0 : percentile(late, 0.99),
    targets: checker?.targetCount ?? 0,
    residentMiB: Number(resident) / 1_024,
  };
  Object.assign(counted, { checks: 0, inconclusive: 0 });
  late = [];
  return figures;
});
