// The address that two nodes share: keepalived in each node's place gives it to one of them (VRRP version 2, RFC 3768). It runs
// independently of this process, and moves the address when the other node, its legs or its HAProxy fail.
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { WantedNode } from '../wanted/wanted-node.ts';
import { readText, writePrivate } from './node-files.ts';
import { processOf, signalTo } from './own-processes.ts';
import { floatingLeg } from './providers/legs.ts';

const run = promisify(execFile);
const startMs = 5_000;
const stopMs = 5_000;
const pollMs = 20;

export interface KeepalivedOptions {
  /** Path of the program. */
  readonly program: string;
  /** The node's own folder. */
  readonly folder: string;
  readonly wrapper: () => readonly string[];
  readonly healthPort: number;
}

export class Keepalived {
  readonly #options: KeepalivedOptions;
  /** It was ended, and not started since. */
  #isOff = false;

  constructor(options: KeepalivedOptions) {
    this.#options = options;
  }

  /** A node that is drained leaves the address to the other one. */
  async bring(wanted: WantedNode): Promise<void> {
    if (wanted.floating === null || wanted.state === 'DRAIN') {
      if (!this.#isOff) await this.stop();
      return;
    }
    this.#isOff = false;
    const text = configurationOf(wanted, this.#script);
    const before = await readText(this.#configuration);
    if (before !== text) {
      await writePrivate(this.#script, scriptOf(wanted, this.#options.healthPort), 0o700);
      await writePrivate(this.#configuration, text);
    }
    const pid = await this.#pid();
    if (pid === undefined) await this.#start();
    else if (before !== text) signalTo(pid, 'SIGHUP');
  }

  /** The address is given up at once. */
  async stop(): Promise<void> {
    const until = performance.now() + stopMs;
    for (let pid = await this.#pid(); pid !== undefined; pid = await this.#pid()) {
      signalTo(pid, performance.now() < until ? 'SIGTERM' : 'SIGKILL');
      await sleep(pollMs);
    }
    for (const path of [this.#configuration, this.#script]) await rm(path, { force: true });
    this.#isOff = true;
  }

  async #start(): Promise<void> {
    const { program, folder } = this.#options;
    const [command = program, ...before] = [...this.#options.wrapper(), program];
    const files = ['--pid', this.#pidFile, '--vrrp_pid', join(folder, 'keepalived-vrrp.pid')];
    await run(command, [...before, '--vrrp', '--no-syslog', '--use-file', this.#configuration, ...files], {
      timeout: startMs,
    });
  }

  #pid(): Promise<number | undefined> {
    return processOf(this.#pidFile, this.#configuration);
  }

  get #configuration(): string {
    return join(this.#options.folder, 'keepalived.conf');
  }

  get #script(): string {
    return join(this.#options.folder, 'haproxy-answers');
  }

  get #pidFile(): string {
    return join(this.#options.folder, 'keepalived.pid');
  }
}

/**
 * Inputs: the shared address, its leg, and the node's rank. Must hold: the leg is shared with the other node. The password keeps
 * apart load balancers that happen to have the same router id; who takes the address keeps it until it fails.
 */
function configurationOf(wanted: WantedNode, script: string): string {
  const { name, floating, subnet, loadBalancer, cookieKey } = wanted;
  if (floating === null) throw new Error('the node has no floating address');
  if (floating.address.includes(':')) throw new Error(`the floating address ${floating.address} is not IPv4`);
  const secret = createHash('sha256').update(`floating ${loadBalancer.id} ${cookieKey}`).digest('hex');
  return `global_defs {
  router_id ${name}
}
vrrp_script haproxy {
  script "${script}"
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

/** Whether HAProxy answers for the node itself. */
function scriptOf({ managementAddress }: WantedNode, healthPort: number): string {
  return `#!/bin/bash
exec 3<>/dev/tcp/${managementAddress}/${healthPort} || exit 1
printf 'GET /health HTTP/1.0\\r\\n\\r\\n' >&3
read -r -t 1 _ status _ <&3 && [ "$status" = 200 ]
`;
}
