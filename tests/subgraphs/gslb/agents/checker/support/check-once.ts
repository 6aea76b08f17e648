// Runs one plugin check the way the check engine does.
import type { CheckReading } from '../../../../../../platform/checks/probe.ts';
import { dial } from '../../../../../../platform/net/dial.ts';
import type { EgressPolicy } from '../../../../../../platform/net/egress.ts';
import type {
  CheckPlugin,
  CheckTools,
  Measured,
} from '../../../../../../subgraphs/gslb/agents/checker/plugins/plugin.ts';
import { type ProbedTarget, targetProbe } from '../../../../../../subgraphs/gslb/agents/checker/target-probe.ts';
import { testEgress } from '../../../../../support/machine/egress.ts';

interface CheckOptions {
  readonly egress?: EgressPolicy;
  readonly timeoutMs?: number;
  readonly tools?: Partial<CheckTools>;
  readonly addresses?: Readonly<Record<string, readonly string[]>>;
}

const none: CheckTools = {
  dial,
  pinger: { ping: () => Promise.reject(new Error('there is no fping')) },
  openStack: { get: () => Promise.reject(new Error('there is no OpenStack')) },
  programs: { run: () => Promise.reject(new Error('there is no program')) },
};

/** Returns the result that the engine would record. */
export async function checkOnce(
  plugin: CheckPlugin,
  target: Partial<ProbedTarget>,
  { egress = testEgress, timeoutMs = 2_000, tools, addresses = {} }: CheckOptions = {},
): Promise<CheckReading<Measured>> {
  const controller = new AbortController();
  let onCancel: (() => void) | undefined;
  const probe = targetProbe({
    plugin,
    tools: { ...none, ...tools },
    names: {
      addressesOf: (name) => addresses[name] ?? Promise.reject(new Error('the name server fails')),
    },
  });
  const run = {
    ...{ targetId: 't', revision: '', timeoutMs, egress, signal: controller.signal },
    onCancel: (cancel: () => void) => {
      onCancel = cancel;
    },
  };
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<CheckReading<Measured>>((resolve) => {
    timer = setTimeout(() => {
      onCancel?.();
      controller.abort();
      resolve({ up: false, message: `no answer within ${timeoutMs} ms`, detail: null });
    }, timeoutMs);
  });
  const made = probe.check({ hosts: ['127.0.0.1'], port: null, parameters: {}, ...target }, run);
  try {
    return await Promise.race([made, deadline]);
  } finally {
    clearTimeout(timer);
    made.catch(() => undefined);
  }
}
