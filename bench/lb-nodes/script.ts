// The minimum: a shell script that creates the same nodes, one per processor at a time, with a hand-written haproxy.cfg.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { endingWithParent } from '../../embedded/ends-with-parent.ts';
import { endProcessesOf } from '../../tests/support/machine/left-processes.ts';

interface ScriptedNodes {
  /** A command prefix that runs programs in a separate namespace. */
  readonly via: readonly string[];
  readonly folder: string;
  readonly count: number;
  readonly healthPort: number;
  readonly signal: AbortSignal;
}

/** The beginning of the names of its network namespaces. */
export const scriptedSpaces = 'lbfloor-';

/** Creates the nodes and removes them. Returns the milliseconds until the last HAProxy was running. */
export async function makeByScript(nodes: ScriptedNodes): Promise<number> {
  const { folder, count, signal } = nodes;
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'shared.sh'), shared);
  await writeFile(join(folder, 'node.sh'), nodeScript(nodes));
  await sh(nodes, `sh ${folder}/shared.sh`);
  try {
    const beginMs = performance.now();
    await sh(nodes, `seq 0 ${count - 1} | xargs -P ${availableParallelism()} -n 1 sh ${folder}/node.sh`);
    for (let index = 0; index < count; index += 1)
      while ((await readFile(join(folder, String(index), 'pid'), 'utf8').catch(() => '')) === '') {
        signal.throwIfAborted();
        await sleep(5);
      }
    return performance.now() - beginMs;
  } finally {
    await endProcessesOf(folder);
    await sh(
      nodes,
      `seq 0 ${count - 1} | xargs -I N echo netns del ${scriptedSpaces}N | ip -force -batch - 2>/dev/null; ${removal}`,
    );
    await rm(folder, { recursive: true, force: true });
  }
}

const shared = `set -e
ip -batch - <<END
link add name fpub type bridge
link set fpub up
address add 198.18.0.1/20 dev fpub
link add name fman type bridge
link set fman up
address add 198.19.0.1/20 dev fman
link add name fsub type bridge
link set fsub up
END
`;
const removal = 'for name in fpub fman fsub; do ip link del $name; done; true';

function nodeScript({ folder, healthPort }: ScriptedNodes): string {
  return `set -e
n=$1; space=${scriptedSpaces}$n; dir=${folder}/$n
end=$(( (n + 10) / 256 )).$(( (n + 10) % 256 ))
mkdir -m 700 $dir
ip -batch - <<END
netns add $space
link add name fp$n type veth peer name public netns $space
link add name fm$n type veth peer name management netns $space
link add name fs$n type veth peer name subnet netns $space
link set fp$n master fpub up
link set fm$n master fman up
link set fs$n master fsub up
END
ip -netns $space -batch - <<END
link set lo up
link set public up
address add 198.18.$end/20 dev public
route add default via 198.18.0.1
link set management up
address add 198.19.$end/20 dev management
route add default via 198.19.0.1 dev management table 100
rule add from 198.19.$end lookup 100
link set subnet up
address add 10.0.$end/20 dev subnet
END
cat >$dir/haproxy.cfg <<END
global
  maxconn 1000
  nbthread 1
  stats socket $dir/run.sock mode 600 level admin expose-fd listeners
defaults
  mode http
  timeout connect 5s
  timeout client 50s
  timeout server 50s
frontend health
  bind 198.19.$end:${healthPort}
  http-request return status 200
frontend web
  bind 198.18.$end:80
  default_backend web
backend web
  option httpchk
  server one 198.18.0.1:8081 check inter 1s
  server two 198.18.0.1:8082 check inter 1s
END
ip netns exec $space /usr/sbin/haproxy -W -D -f $dir/haproxy.cfg -p $dir/pid 2>/dev/null
`;
}

async function sh({ via }: ScriptedNodes, script: string): Promise<void> {
  const [command = 'sh', ...args] = [...via, 'sh', '-c', script];
  const child = spawn(...endingWithParent(command, args), { stdio: ['ignore', 'ignore', 2] });
  const [code] = (await once(child, 'exit')) as [number | null];
  if (code !== 0) throw new Error(`the script ended with ${code}`);
}
