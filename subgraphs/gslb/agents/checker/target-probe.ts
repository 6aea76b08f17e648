// A plugin as a probe of platform/checks: it checks each address of each host of a target. A target is UP when all its hosts are UP. A host given by
// name is UP when one of its addresses is, because clients would find that one.
import { isIP } from 'node:net';
import { type CheckReading, isDown, type Probe, type ProbeRun } from '../../../../platform/checks/probe.ts';
import { isInBlock, withoutMapping } from '../../../../platform/net/address-block.ts';
import type { Target } from '../../wire/checker-wire.ts';
import type { Checked, CheckPlugin, CheckTools, Measured } from './plugins/plugin.ts';
import type { TargetNames } from './tools/target-names.ts';

export type ProbedTarget = Pick<Target, 'hosts' | 'port' | 'parameters' | 'secret' | 'authBlocks'>;

interface TargetProbeOptions {
  readonly plugin: CheckPlugin;
  readonly names: Pick<TargetNames, 'addressesOf'>;
  readonly tools: CheckTools;
}

/** A name that is not resolved by then leaves no time for the check, so there is no result. */
const resolveShare = 0.6;

export function targetProbe({ plugin, names, tools }: TargetProbeOptions): Probe<ProbedTarget, Measured> {
  const checkAddress = (host: string, address: string, target: ProbedTarget, run: ProbeRun) => {
    const port = target.port ?? 0;
    const denial = run.egress.denial(address, port);
    if (denial !== undefined) return Promise.resolve(isDown(denial.reason));
    const { parameters, secret } = target;
    return plugin.check({ host, address, port, parameters, secret } as Checked<never>, run, tools);
  };
  const checkHost = async (host: string, target: ProbedTarget, run: SharedRun): Promise<CheckReading<Measured>> => {
    if (isIP(host) !== 0) return checkAddress(host, host, target, run.part());
    const found = names.addressesOf(host);
    const addresses = Array.isArray(found) ? (found as readonly string[]) : await inTime(host, found, run);
    if (addresses.length === 0) return isDown(`${host} has no address`);
    return firstUp(
      addresses.map(async (address) => {
        const beyond = beyondBlocks(host, address, target);
        if (beyond !== undefined) throw beyond;
        return checkAddress(host, address, target, run.part());
      }),
    );
  };
  return {
    name: plugin.name,
    parameters: {
      type: 'object',
      required: plugin.needsPort ? ['hosts', 'port', 'parameters'] : ['hosts', 'parameters'],
      properties: {
        hosts: { type: 'array', items: { type: 'string' } },
        port: plugin.needsPort ? { type: 'integer' } : {},
        parameters: plugin.parameters,
        secret: {},
        authBlocks: { type: 'array', items: { type: 'string' } },
      },
    },
    check(target, run) {
      const [host = '', ...others] = target.hosts;
      if (plugin.connectsItself === true) {
        const { parameters, secret, port } = target;
        return plugin.check({ host, address: host, port: port ?? 0, parameters, secret } as Checked<never>, run, tools);
      }
      // The most frequent kind costs nothing more.
      if (others.length === 0 && isIP(host) !== 0) return checkAddress(host, host, target, run);
      const shared = new SharedRun(run);
      return allUp(target.hosts, (each) => checkHost(each, target, shared));
    },
  };
}

/** There is no result, because a check without the credentials would report DOWN. */
function beyondBlocks(host: string, address: string, { authBlocks }: ProbedTarget): Error | undefined {
  const plain = withoutMapping(address);
  if (authBlocks === undefined || authBlocks.some((block) => isInBlock(plain, block))) return undefined;
  return new Error(`${host} leads to ${address}, where the monitor's credentials may not be sent`);
}

/** Several checks of one run: the deadline ends them all. */
class SharedRun {
  readonly timeoutMs: number;
  readonly #run: ProbeRun;
  readonly #cancels: (() => void)[] = [];
  #cancelled = false;

  constructor(run: ProbeRun) {
    this.#run = run;
    this.timeoutMs = run.timeoutMs;
    run.onCancel(() => {
      this.#cancelled = true;
      for (const cancel of this.#cancels) cancel();
    });
  }

  part(): ProbeRun {
    const { targetId, revision, timeoutMs, egress } = this.#run;
    const run = this.#run;
    const [cancels, isCancelled] = [this.#cancels, () => this.#cancelled];
    const at = cancels.push(() => undefined) - 1;
    return {
      ...{ targetId, revision, timeoutMs, egress },
      get signal() {
        return run.signal;
      },
      onCancel(cancel) {
        cancels[at] = cancel;
        if (isCancelled()) cancel();
      },
    };
  }
}

/**
 * Latency of the slowest address. The first failed address gives the reason. Rejects if an address has no result and none is
 * down.
 */
async function allUp(
  hosts: readonly string[],
  check: (host: string) => Promise<CheckReading<Measured>>,
): Promise<CheckReading<Measured>> {
  const outcomes = await Promise.allSettled(hosts.map(check));
  let up: CheckReading<Measured> | undefined;
  let fault: unknown;
  for (const [index, outcome] of outcomes.entries()) {
    if (outcome.status === 'rejected') fault = outcome.reason;
    else if (!outcome.value.up)
      return hosts.length === 1 ? outcome.value : isDown(`${hosts[index] ?? ''}: ${outcome.value.message ?? ''}`);
    else if (up === undefined || (outcome.value.detail?.latencyMs ?? 0) > (up.detail?.latencyMs ?? 0))
      up = outcome.value;
  }
  if (up === undefined || fault !== undefined) throw fault;
  return up;
}

/** The other checks continue until the deadline. Rejects if none is UP, and one has no result. */
async function firstUp(checks: readonly Promise<CheckReading<Measured>>[]): Promise<CheckReading<Measured>> {
  const wanted = checks.map(async (check) => {
    const reading = await check;
    if (!reading.up) throw new DownReading(reading);
    return reading;
  });
  try {
    return await Promise.any(wanted);
  } catch (error) {
    const { errors } = error as AggregateError;
    const other = errors.find((each) => !(each instanceof DownReading));
    if (other !== undefined) throw other;
    return (errors[0] as DownReading).reading;
  }
}

class DownReading extends Error {
  readonly reading: CheckReading<never>;

  constructor(reading: CheckReading) {
    super('down');
    this.reading = isDown(reading.message ?? '');
  }
}

async function inTime(
  host: string,
  found: readonly string[] | Promise<readonly string[]>,
  { timeoutMs }: SharedRun,
): Promise<readonly string[]> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${host} was not resolved in time`)), timeoutMs * resolveShare);
  });
  try {
    return await Promise.race([found, late]);
  } finally {
    clearTimeout(timer);
  }
}
