// `tidegate lab exec HOST -- COMMAND…`: runs in the host's network, where the lab's DNS server resolves names.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { endingWithParent } from '../../../embedded/ends-with-parent.ts';
import { CommandFailure, SilentFailure } from '../../failures.ts';
import { askHosts, labDataOption } from '../../lab-client.ts';
import { localVerb } from '../../verb.ts';

const enter = fileURLToPath(new URL('../../../lab/balancers/enter.sh', import.meta.url));

export const exec = localVerb({
  summary: 'Run a command in the network of a host, as "lab exec client -- curl URL". Only root can.',
  takes: ['HOST', 'COMMAND...'],
  options: { data: labDataOption },
  async run({ options, names, signal }) {
    const [name, words] = names;
    const host = (await askHosts(options.data, { do: 'list' }, signal)).find((each) => each.name === name);
    if (host === undefined) throw new CommandFailure(`there is no host ${name}: see "tidegate lab hosts"`);
    if (host.namespace === null)
      throw new CommandFailure(`${name} has no network of its own, because the lab was not started as root`);
    if (process.getuid?.() !== 0) throw new CommandFailure('only root can enter the network of a host');
    const folder = join(options.data ?? '.tidegate', 'lab', host.part);
    const args = [`--net=/run/netns/${host.namespace}`, '--', 'unshare', '--mount', '--propagation', 'private'];
    const child = spawn(...endingWithParent('nsenter', [...args, 'sh', enter, folder, ...words]), { stdio: 'inherit' });
    const pass = () => child.kill('SIGTERM');
    signal.addEventListener('abort', pass, { once: true });
    const code = await new Promise<number>((resolve, reject) => {
      child.once('error', reject);
      child.once('exit', (ended) => resolve(ended ?? 1));
    });
    signal.removeEventListener('abort', pass);
    if (code !== 0) throw new SilentFailure(code);
  },
});
