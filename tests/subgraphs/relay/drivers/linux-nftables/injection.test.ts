import { expect, test } from '@jest/globals';
import { runProgram } from '../../../../../embedded/run-program.ts';
import { validateArguments } from '../../../../../subgraphs/relay/drivers/arguments.ts';
import type { JsonObject } from '../../../../../subgraphs/relay/drivers/driver.ts';
import { linuxNftables } from '../../../../../subgraphs/relay/drivers/linux-nftables/driver.ts';
import { describeWithLab } from '../../../../support/machine/lab.ts';
import { operationOf } from '../../support/driver-caller.ts';
import { pieces, random, seed, text } from '../../support/generated-texts.ts';
import { renderContext } from '../../support/render-context.ts';

const nouns = ['add', 'fwd', 'drop'];
const wild = pieces.wild([
  ...[...nouns, '@set', '} chain x {', '" drop comment "', '; flush ruleset;', '{"nftables":[]}', 'tg:'],
]);
const word = () => random.pick([...'abzAZ_', 'add', 'fwd']) + text([...pieces.tame, 'drop'], 20);
/** Half of the texts look like names, half like attacks. */
const hostile = () => (random.integer(0, 1) === 0 ? word() : text(wild, 20));

const fits = (operation: string, args: JsonObject) => {
  const spec = operationOf(linuxNftables, operation);
  const checked = validateArguments(spec, args);
  if (!checked.ok) return undefined;
  const wire = spec.render(checked.args, renderContext(linuxNftables));
  return wire.kind === 'exec' ? wire.stdin : undefined;
};

describeWithLab('generated names and comments', (lab) => {
  async function nft(args: string[], input: string): Promise<string> {
    // nft opens /dev/stdin by name, which the kernel allows for a pipe but not for the socket that Node gives a child.
    const shell = ['sh', '-c', 'cat | nft "$@"', 'nft', ...args];
    const done = await runProgram('ip', ['netns', 'exec', lab().firewall.namespace, ...shell], { input });
    if (done.exitCode !== 0) throw new Error(`seed ${seed}: ${done.stderr.slice(0, 1_000)}`);
    return done.stdout;
  }

  test(`10,000 of them are each one value to nft, in JSON and in text (seed ${seed})`, async () => {
    const wanted = { set: new Set<string>(), chain: new Set<string>(), rule: [] as string[], comment: [] as string[] };
    const commands: JsonObject[] = [];
    let refused = 0;
    for (let index = 0; index < 10_000; index += 1) {
      const value = hostile();
      const kind = random.pick(['set', 'chain', 'rule', 'comment'] as const);
      const address = `10.${index >> 16}.${(index >> 8) & 255}.${index & 255}`;
      const stdin = {
        set: () => fits('set.create', { set: value }),
        chain: () => fits('chain.create', { chain: value }),
        rule: () => fits('rule.create', { name: value, chain: 'rules', action: 'accept' }),
        comment: () => fits('setElement.add', { set: 'commented', address, comment: value }),
      }[kind]();
      if (stdin === undefined) {
        refused += 1;
        continue;
      }
      commands.push(...(JSON.parse(stdin) as { nftables: JsonObject[] }).nftables);
      if (kind === 'set' || kind === 'chain') wanted[kind].add(value);
      else wanted[kind].push(value);
    }
    // Otherwise the test proves nothing.
    expect(refused).toBeGreaterThan(1_000);
    expect(commands.length).toBeGreaterThan(4_000);

    await nft(['-f', '-'], 'flush ruleset\ntable inet filter { set commented { type ipv4_addr; }; chain rules { }; }');
    await nft(['-j', '-f', '-'], JSON.stringify({ nftables: commands }));
    const listed = JSON.parse(await nft(['-j', 'list', 'ruleset'], '')) as { nftables: Listed[] };
    const names = (kind: 'set' | 'chain') =>
      listed.nftables
        .flatMap((object) => object[kind]?.name ?? [])
        .filter((name) => name !== 'commented' && name !== 'rules');
    const words = (comment: string) => comment.replace(/^tg:[0-9a-f-]{36} /, '');
    expect(names('set').sort()).toEqual([...wanted.set].sort());
    expect(names('chain').sort()).toEqual([...wanted.chain].sort());
    expect(listed.nftables.flatMap((object) => object.rule?.comment ?? []).map(words)).toEqual(wanted.rule);
    const elements = listed.nftables.find((object) => object.set?.name === 'commented')?.set?.elem ?? [];
    expect(elements.map((element) => words(element.elem.comment)).sort()).toEqual(wanted.comment.sort());

    const saved = await nft(['list', 'ruleset'], '');
    await nft(['-f', '-'], `flush ruleset\n${saved}`);
    expect(await nft(['list', 'ruleset'], '')).toBe(saved);
  });
});

interface Listed {
  readonly set?: { readonly name: string; readonly elem?: readonly { readonly elem: { readonly comment: string } }[] };
  readonly chain?: { readonly name: string };
  readonly rule?: { readonly comment: string };
}
