// Passes calls to a real router: the router's shell runs each byte by byte as the driver made it, and FRR's own configuration afterwards
// shows what it accepted. The effects of a call are removed again, without the driver.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { silentLog } from '../../embedded/setup-log.ts';
import { startRouters } from '../../lab/routers/routers.ts';
import type { ExecReply } from '../../subgraphs/relay/drivers/driver.ts';
import { frr } from '../../subgraphs/relay/drivers/frr/driver.ts';
import type { Rendering } from './offer.ts';
import type { RealFigures } from './real.ts';
import { contextOf } from './subject.ts';

/** A call takes three runs of vtysh. */
const mostCalls = 1_000;

export async function askRealFrr(all: readonly Rendering[], folder: string, signal: AbortSignal): Promise<RealFigures> {
  const renderings = all.slice(0, mostCalls);
  const routers = await startRouters({ folder, log: silentLog, signal });
  if (!routers.available) throw new Error(`there are no routers: ${routers.unavailable}`);
  const findings: string[] = [];
  try {
    const [router] = routers.routers;
    const context = contextOf(frr, 'ssh');
    for (const { operation, args, call, place, text } of renderings) {
      if (call.kind !== 'exec') continue;
      const reply = await runOn(await router.insidePid(), call.command, call.stdin ?? '');
      const outcome = operation.interpret(reply, args, context);
      const isRead = operation.effect === 'READ';
      // FRR refuses some values that are plain in its grammar. It then stores nothing, and reports that.
      const isFine =
        outcome.state === 'SUCCEEDED' || (outcome.state === 'FAILED' && (isRead || isRefusal(outcome.code)));
      if (!isFine)
        findings.push(`${operation.name} ${place} ${JSON.stringify(text)}: ${JSON.stringify(outcome).slice(0, 300)}`);
      // Refused input leaves nothing to remove.
      await router.vtysh('configure terminal', ...undoing(call.stdin ?? '')).catch(() => undefined);
    }
  } finally {
    await routers.stop();
  }
  return { calls: renderings.length, wrong: findings.length, findings };
}

const isRefusal = (code: string) => ['DEVICE_REFUSED', 'NOT_FOUND', 'NOT_TAKEN'].includes(code);

/** Reverts what the first line of a change did. */
function undoing(stdin: string): readonly string[] {
  const lines = stdin.split('\n').flatMap((line) => (line.startsWith('line ') ? [line.slice('line '.length)] : []));
  const [first = ''] = lines;
  if (/^(no|show|write) /.test(first)) return [];
  const neighbor = lines.map((line) => /^ neighbor (\S+) remote-as/.exec(line)?.[1]).find((each) => each !== undefined);
  if (neighbor !== undefined) return [first, `no neighbor ${neighbor}`];
  return first.startsWith('router bgp ') && !first.includes(' vrf ') ? [] : [`no ${first}`];
}

async function runOn(pid: string, command: string, stdin: string): Promise<ExecReply> {
  const inside = ['--target', pid, '--mount', '--net', '--pid', '--ipc', '--root', '--wd=/', '--', 'sh', '-c', command];
  const child = spawn('nsenter', inside, { stdio: ['pipe', 'pipe', 'pipe'] });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (data: Buffer) => {
    stdout += data.toString('utf8');
  });
  child.stderr.on('data', (data: Buffer) => {
    stderr += data.toString('utf8');
  });
  child.stdin.on('error', () => {});
  child.stdin.end(stdin);
  const [exitCode] = (await once(child, 'close')) as [number | null];
  return { kind: 'exec', exitCode, stdout, stderr, truncated: false };
}
