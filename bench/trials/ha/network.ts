// The hosts of the trial as network namespaces: a and b with data, w the witness, c the client, and s, the switch between them.
import { runProgram } from '../../../embedded/run-program.ts';
import { killQuietly } from '../../../embedded/server-process.ts';

export const places = { a: '198.19.77.1', b: '198.19.77.2', w: '198.19.77.3', c: '198.19.77.4' } as const;
export type PlaceName = keyof typeof places;
export type DataHost = 'a' | 'b';

export class HaNetwork {
  readonly #id: string;

  private constructor(id: string) {
    this.#id = id;
  }

  static async layOut(id: string): Promise<HaNetwork> {
    const network = new HaNetwork(id);
    const names = Object.keys(places) as PlaceName[];
    await ip([...names.map((name) => `netns add ${network.namespace(name)}`), `netns add ${network.#switch}`]);
    await ip([`-netns ${network.#switch} link add br0 type bridge`]);
    await network.#inside(network.#switch, ['link set br0 up']);
    for (const name of names) {
      await ip([
        `link add eth0 netns ${network.namespace(name)} type veth peer name ${name}0 netns ${network.#switch}`,
      ]);
      await network.#inside(network.#switch, [`link set ${name}0 master br0`, `link set ${name}0 up`]);
      await network.#inside(network.namespace(name), [
        ...['link set lo up', `address add ${places[name]}/24 dev eth0`, 'link set eth0 up'],
      ]);
    }
    return network;
  }

  namespace(name: PlaceName): string {
    return `tgha-${this.#id}-${name}`;
  }

  async processes(name: PlaceName): Promise<readonly number[]> {
    const { stdout } = await runProgram('ip', ['netns', 'pids', this.namespace(name)]);
    return stdout
      .split('\n')
      .filter((line) => line !== '')
      .map(Number);
  }

  async unplug(name: PlaceName): Promise<void> {
    await this.#inside(this.#switch, [`link set ${name}0 down`]);
  }

  async plug(name: PlaceName): Promise<void> {
    await this.#inside(this.#switch, [`link set ${name}0 up`]);
  }

  /** Between two hosts; each still reaches the others. */
  async cut(one: PlaceName, other: PlaceName): Promise<void> {
    const rules = `add table inet cut; add chain inet cut in { type filter hook input priority 0; }; add rule inet cut in ip saddr ${places[other]} drop; add chain inet cut out { type filter hook output priority 0; }; add rule inet cut out ip daddr ${places[other]} drop`;
    const { exitCode, stderr } = await runProgram('ip', ['netns', 'exec', this.namespace(one), 'nft', rules]);
    if (exitCode !== 0) throw new Error(`nft: ${stderr}`);
  }

  async join(one: PlaceName): Promise<void> {
    await runProgram('ip', ['netns', 'exec', this.namespace(one), 'nft', 'delete table inet cut']);
  }

  async remove(): Promise<void> {
    for (const name of Object.keys(places) as PlaceName[]) {
      for (const pid of await this.processes(name)) killQuietly(pid, 'SIGKILL');
      await runProgram('ip', ['netns', 'delete', this.namespace(name)]);
    }
    await runProgram('ip', ['netns', 'delete', this.#switch]);
  }

  get #switch(): string {
    return `tgha-${this.#id}-s`;
  }

  async #inside(namespace: string, commands: readonly string[]): Promise<void> {
    await ip(commands.map((command) => `-netns ${namespace} ${command}`));
  }
}

async function ip(commands: readonly string[]): Promise<void> {
  for (const command of commands) {
    const { exitCode, stderr } = await runProgram('ip', command.split(' '));
    if (exitCode !== 0) throw new Error(`ip ${command}: ${stderr.trim()}`);
  }
}
