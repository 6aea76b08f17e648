// A system whose objects work: a host whose load balancers serve, and a cluster that stores objects.
// needs: haproxy
import { mkdir, readFile } from 'node:fs/promises';
import { FlagSystem, publicRange } from '../../cli/commands/flags/flag-system.ts';
import { runCommand } from '../../cli/commands/run-command.ts';
import { freePort } from '../../support/machine/free-port.ts';
import { waitFor } from '../../support/machine/temporary-folder.ts';

interface Account {
  readonly name: string;
  readonly password: string;
}

export class ServingSystem {
  readonly system: FlagSystem;
  /** The administrator. */
  readonly user: Account;
  readonly s3Url: string;
  #token = '';

  private constructor(system: FlagSystem, user: Account, s3Url: string) {
    [this.system, this.user, this.s3Url] = [system, user, s3Url];
  }

  static async start(): Promise<ServingSystem> {
    const system = await FlagSystem.prepare();
    try {
      await mkdir(system.machines, { mode: 0o700 });
      for (const role of ['loadbalancer', 'object-storage', 'gslb'])
        await run(
          `machines issue ${role}-1 --role ${role} --folder ${system.machines} --endpoint ${system.url} --config ${system.config}`,
        );
      await system.start();
      const user = { name: 'admin', password: (await readFile(system.passwordFile, 'utf8')).trim() };
      const at = { peer: await freePort(), controller: await freePort(), s3: await freePort() };
      const serving = new ServingSystem(system, user, `http://127.0.0.1:${at.s3}`);
      serving.#token = await serving.tokenOf(user);
      await serving.#startHost();
      await serving.#startCluster(at);
      return serving;
    } catch (error) {
      await system.stop();
      throw error;
    }
  }

  /** Of the administrator. */
  get token(): string {
    return this.#token;
  }

  /** As the administrator, unless there is another token. */
  tidegate(line: string, token = this.#token): Promise<string> {
    return run(line, { TIDEGATE_URL: this.system.url, TIDEGATE_TOKEN: token });
  }

  async tokenOf(input: Account): Promise<string> {
    const query = 'mutation ($input: LoginInput!) { login(input: $input) { accessToken } }';
    return (await this.system.ask<{ login: { accessToken: string } }>(query, { input })).login.accessToken;
  }

  /** Waits until the load balancer serves. */
  servingAddress(id: string): Promise<string> {
    return waitFor('the load balancer to serve', async () => {
      const query = 'query ($id: ID!) { loadBalancer(id: $id) { addresses operatingStatus } }';
      type Found = { loadBalancer: { addresses: readonly string[]; operatingStatus: string } };
      const { loadBalancer: found } = await this.system.ask<Found>(query, { id }, this.#token);
      return found.operatingStatus === 'ONLINE' && found.addresses[0];
    });
  }

  stop(): Promise<void> {
    return this.system.stop();
  }

  async #startHost(): Promise<void> {
    const { system } = this;
    const healthPort = await freePort();
    const folder = system.path('machine-host');
    const networks = `--public-range ${publicRange} --management-range ${publicRange} --nodes 30`;
    const record = `${networks} --provider loopback --health-port ${healthPort} --released`;
    const invited = await this.tidegate(`machines create host-1 --role lbhost ${record} --wait 10 --json`);
    const { joinToken } = JSON.parse(invited) as { readonly joinToken: string };
    await this.tidegate(
      `join ${joinToken} --folder ${folder} --url ${system.url} --endpoint-ca ${system.authorityFile}`,
    );
    await system.startHost(folder, healthPort);
    await waitFor('the host', async () => (await this.tidegate('hosts list')).includes('PRESENT'));
  }

  async #startCluster(at: { readonly peer: number; readonly controller: number; readonly s3: number }): Promise<void> {
    const urls = `--peer-url https://127.0.0.1:${at.peer} --controller-url https://127.0.0.1:${at.controller} --s3-url ${this.s3Url}`;
    await this.tidegate(`clusters add north --zone attic --weight 100 ${urls} --wait 60`);
    await this.system.startCluster('north', at);
    await this.tidegate('options create usual --replicas 1 --cluster north --as-default --wait 60');
  }
}

/** Fails unless it ends with 0. */
async function run(line: string, env: Readonly<Record<string, string>> = {}): Promise<string> {
  const { exitCode, stdout, stderr } = await runCommand(line.split(' '), { env });
  if (exitCode !== 0) throw new Error(`${line}: ${stderr}`);
  return stdout;
}
