// The address that two nodes share. Keepalived in each node's place assigns it to one of them (VRRP version 2, RFC 3768). It runs
// independently of this process, and moves the address when the other node, its legs or its HAProxy fail.
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { rootOf } from '../../rules/haproxy/node-places.ts';
import type { WantedNode } from '../../wire/wanted-node.ts';
import { bareEnvironment, type Cell } from './confinement/cell.ts';
import { accountName } from './confinement/node-root.ts';
import { readText, writePrivate } from './node-files.ts';
import { endProcesses, processOf, signalTo } from './own-processes.ts';
import { floatingLeg } from './providers/legs.ts';

const run = promisify(execFile);
const startMs = 5_000;
const stopMs = 5_000;
const pollMs = 20;
const mostWordsLength = 300;

interface KeepalivedOptions {
  /** Path of the program. */
  readonly program: string;
  /** The node's own folder. */
  readonly folder: string;
  /** How the program is started. */
  readonly cell: () => Cell;
  readonly healthPort: number;
}

export class Keepalived {
  readonly #options: KeepalivedOptions;
  /** It was stopped, and not started since. */
  #isOff = false;
  #wasStarted = false;

  constructor(options: KeepalivedOptions) {
    this.#options = options;
  }

  /** A draining node leaves the address to the other one. */
  async bring(wanted: WantedNode): Promise<void> {
    if (wanted.floating === null || wanted.state === 'DRAIN') {
      if (!this.#isOff) await this.stop();
      return;
    }
    this.#isOff = false;
    const text = configurationOf(wanted, this.#script);
    const script = scriptOf(wanted, this.#options.healthPort);
    const before = await readText(this.#configuration);
    // The host may have another health port than when it wrote them.
    if (before !== text || (await readText(this.#script)) !== script) {
      // Keepalived reads them as the node's own user, the script each time it runs.
      const { uid } = this.#options.cell();
      await writePrivate(this.#script, script, 0o640, uid ?? undefined);
      await writePrivate(this.#configuration, text, 0o640, uid ?? undefined);
    }
    const pid = await this.#pid();
    if (pid === undefined) await this.#start();
    else if (before !== text) signalTo(pid, 'SIGHUP');
  }

  /** Gives up the address at once. */
  async stop(): Promise<void> {
    const until = performance.now() + stopMs;
    for (let pid = await this.#pid(); pid !== undefined; pid = await this.#pid()) {
      signalTo(pid, performance.now() < until ? 'SIGTERM' : 'SIGKILL');
      await sleep(pollMs);
    }
    for (const path of [this.#configuration, this.#script]) await rm(path, { force: true });
    [this.#isOff, this.#wasStarted] = [true, false];
  }

  async #start(): Promise<void> {
    const { program, folder, cell: cellOf } = this.#options;
    const output = join(folder, 'keepalived.out');
    const words = this.#wasStarted ? await readText(output) : undefined;
    // Keepalived started before nodes were confined.
    await endProcesses(join(folder, 'keepalived.conf'));
    const cell = cellOf();
    await cell.prepare();
    const files = ['--use-file', this.#configuration, '--pid', '/run/keepalived.pid', '--vrrp_pid', '/run/vrrp.pid'];
    const [command = '', ...rest] = cell.launch({
      ...{ role: 'KEEPALIVED', pidFile: this.#pidFile, output },
      command: [program, '--vrrp', '--dont-fork', '--no-syslog', '--log-console', ...files],
    });
    await run(command, rest, { timeout: startMs, env: bareEnvironment() });
    this.#wasStarted = true;
    if (words !== undefined)
      throw new Error(`keepalived ended and was restarted: ${words.trim().slice(-mostWordsLength)}`);
  }

  #pid(): Promise<number | undefined> {
    return processOf(this.#pidFile, this.#configuration);
  }

  get #configuration(): string {
    return join(rootOf(this.#options.folder).keepalived, 'keepalived.conf');
  }

  get #script(): string {
    return join(rootOf(this.#options.folder).keepalived, 'haproxy-answers');
  }

  get #pidFile(): string {
    return join(this.#options.folder, 'keepalived.pid');
  }
}

/**
 * Inputs: the shared address, its leg, and the node's rank. Must hold: the leg is shared with the other node. The password separates load
 * balancers that happen to have the same router id. The node that takes the address keeps it until it fails. The script runs as the node's
 * user, like keepalived itself, but without its privileges.
 */
function configurationOf(wanted: WantedNode, script: string): string {
  const { name, floating, subnet, loadBalancer, cookieKey } = wanted;
  if (floating === null) throw new Error('the node has no floating address');
  if (floating.address.includes(':')) throw new Error(`the floating address ${floating.address} is not IPv4`);
  const secret = createHash('sha256').update(`floating ${loadBalancer.id} ${cookieKey}`).digest('hex');
  return `global_defs {
  router_id ${name}
  script_user ${accountName} ${accountName}
}
vrrp_script haproxy {
  script "/usr/bin/setpriv --inh-caps=-all --ambient-caps=-all /bin/bash ${script}"
  interval 1
  timeout 2
  fall 2
  rise 1
}
vrrp_instance floating {
  state BACKUP
  nopreempt
  interface ${subnet === null ? 'public' : 'subnet'}
  virtual_router_id ${floating.routerId}
  priority ${floating.priority}
  advert_int 1
  authentication {
    auth_type PASS
    auth_pass ${secret.slice(0, 8)}
  }
  virtual_ipaddress {
    ${floating.address}/32 dev ${floatingLeg(wanted)}
  }
  track_interface {
    public
  }
  track_script {
    haproxy
  }
}
`;
}

/** Checks whether HAProxy answers for the node itself. */
function scriptOf({ managementAddress }: WantedNode, healthPort: number): string {
  return `#!/bin/bash
exec 3<>/dev/tcp/${managementAddress}/${healthPort} || exit 1
printf 'GET /health HTTP/1.0\\r\\n\\r\\n' >&3
read -r -t 1 _ status _ <&3 && [ "$status" = 200 ]
`;
}
