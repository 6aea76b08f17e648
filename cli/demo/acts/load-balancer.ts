// Act 2: a load balancer whose node is unplugged while a client watches.
import { graphql } from '../../../generated/cli/index.ts';
import { CommandFailure } from '../../failures.ts';
import { askHosts } from '../../lab-client.ts';
import type { Act, Place } from '../act.ts';
import { runCommand, startCommand } from '../commands.ts';
import { addressesOf } from '../lab-parts.ts';
import { addressesAt } from '../names.ts';

const document = graphql(`
  query DemoBalancer($names: [String!]) {
    loadBalancers(names: $names) { nodes { id operatingStatus nodes { name nodeState address } } }
  }
`);

const nodes = 2;
const clientPauseSeconds = 0.05;

export const loadBalancerAct: Act = {
  number: 2,
  title: 'a load balancer whose node is unplugged',
  part: 'balancers',
  needsRoot: 'nodes and their client are network namespaces',
  takes: 'half a minute',
  async play(place) {
    const { stage, data, connection, run, project } = place;
    const at = await addressesOf(data, 'balancers');
    const name = `demo-${run}`;
    const fqdn = `${name}.${project?.name ?? 'default'}.lb.lab.test`;
    const members = ['WEB1', 'WEB2', 'WEB3'].flatMap((web) => ['--member', `${at(web)}:${at('WEB_PORT')}`]);
    const create = ['loadbalancers', 'create', name, '--http', '80', ...members];
    const inProject = project === undefined ? [] : ['--project', project.name];
    const words = [...create, '--check', 'http:/', '--nodes', String(nodes), '--cmp', `demo/${run}`, ...inProject];
    await stage.command(`bin/tidegate ${words.join(' ')}`);
    stage.undo(`bin/tidegate loadbalancers delete ${name} --yes`, () => remove(place, name));
    await stage.step(
      `a load balancer with ${nodes} nodes (HAProxy) before three web servers`,
      () => runCommand([...words, ...connection], { signal: stage.signal }),
      (printed) => `serves ${printed.trim().split('\n').at(-1)}`,
    );
    const inName = () => addressesAt(at('DNS'), at('DNS_PORT'), fqdn);
    const serving = async () => (await read(place, name)).nodes.filter(({ nodeState }) => nodeState === 'SERVING');
    await stage.step(`its name ${fqdn} has both nodes`, () =>
      stage.until(
        'both nodes in the name',
        async () => (await inName()).length === nodes && (await serving()).length === nodes,
      ),
    );

    const asking = new Asking([
      'lab',
      'exec',
      'client',
      '--data',
      data,
      '--',
      'sh',
      '-c',
      askingScript(`http://${fqdn}/`),
    ]);
    try {
      await stage.step(
        'a client asks, one request after the other',
        () => stage.until('thirty answers', async () => asking.answers.length >= 30 && asking.answers),
        (answers) =>
          `${answers.length} answers from ${[...new Set(answers.map(({ from }) => from))].sort().join(', ')}`,
      );
      const [node] = await serving();
      if (node === undefined) throw new CommandFailure('no node serves');
      const before = asking.answers.length;
      stage.undo(`bin/tidegate lab plug ${node.name}`, () => act(place, 'plug', node.name).catch(() => undefined));
      await stage.step(
        `bin/tidegate lab unplug ${node.name}`,
        () => act(place, 'unplug', node.name),
        () => 'its cable is out',
      );
      await stage.step(
        'its address leaves the name',
        () => stage.until('its address out of the name', async () => !(await inName()).includes(node.address ?? '')),
        () => 'gone: new clients go to the other node',
      );
      const other = await stage.step(
        'another node takes its place',
        () =>
          stage.until('another node', async () => {
            const now = await serving();
            const isReplaced = now.length === nodes && !now.some(({ name: each }) => each === node.name);
            return isReplaced && (await inName()).length === nodes && now.at(-1);
          }),
        (made) => `${made.name} serves, at ${made.address}`,
      );
      await stage.step(
        'answers that the client got',
        () =>
          stage.until(
            'thirty more answers',
            async () => asking.answers.length >= before + 30 && asking.answers.slice(before),
          ),
        (answers) => {
          const failed = answers.filter(({ isGood }) => !isGood).length;
          const slowest = Math.max(0, ...answers.map(({ seconds }) => seconds));
          return `${answers.length} answers, ${failed} failed, the slowest took ${slowest.toFixed(1)} s (it tried the next address of the name)`;
        },
      );
      if (other.name === node.name) throw new CommandFailure('the node was not replaced');
    } finally {
      await asking.stop();
    }
  },
  yours: [
    'bin/tidegate lab add balancers',
    '. .tidegate/balancers.env',
    'bin/tidegate loadbalancers create web --http 80 --member $WEB1:80 --member $WEB2:80 --check http:/ --nodes 2',
    'bin/tidegate lab exec client -- curl -s http://web.default.lb.lab.test/',
    'bin/tidegate nodes list --loadbalancer web',
    'bin/tidegate lab unplug NODE',
  ],
};

async function read({ client }: Place, name: string) {
  const { loadBalancers } = await client.query(document, { names: [name] });
  const [found] = loadBalancers.nodes;
  if (found === undefined) throw new CommandFailure(`there is no load balancer ${name}`);
  return found;
}

async function act({ data }: Place, what: 'plug' | 'unplug', host: string): Promise<void> {
  await askHosts(data, { do: what, host }, new AbortController().signal);
}

async function remove({ cleaner, connection }: Place, name: string): Promise<void> {
  const { loadBalancers } = await cleaner.query(document, { names: [name] });
  const signal = new AbortController().signal;
  if (loadBalancers.nodes.length > 0)
    await runCommand(['loadbalancers', 'delete', name, '--yes', '--wait', '120', ...connection], { signal });
}

/** A client that tries the next address of a name, like most clients. curl does so after two thirds of its connect timeout. */
function askingScript(url: string): string {
  const ask = `curl -sS --retry 3 --connect-timeout 3 -m 20 -w '%{http_code} %{time_total}\\n' ${url} 2>/dev/null`;
  return `trap 'exit 0' TERM; while :; do ${ask} || echo 'failed 0'; sleep ${clientPauseSeconds}; done`;
}

interface Answer {
  readonly from: string;
  readonly seconds: number;
  readonly isGood: boolean;
}

/** A client that asks until it is stopped. */
class Asking {
  readonly answers: Answer[] = [];
  readonly #child: ReturnType<typeof startCommand>;
  readonly #ended: Promise<void>;

  constructor(words: readonly string[]) {
    this.#child = startCommand(words);
    let heard = '';
    let from = '';
    this.#child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      const lines = `${heard}${text}`.split('\n');
      heard = lines.pop() ?? '';
      for (const line of lines) {
        const [, code, seconds] = /^(\d{3}|failed) ([\d.]+)$/.exec(line) ?? [];
        if (code === undefined) from = line;
        else this.answers.push({ from, seconds: Number(seconds), isGood: code === '200' });
      }
    });
    this.#ended = new Promise((resolve) => {
      this.#child.once('close', () => resolve());
      this.#child.once('error', () => resolve());
    });
  }

  async stop(): Promise<void> {
    this.#child.kill('SIGTERM');
    await this.#ended;
  }
}
