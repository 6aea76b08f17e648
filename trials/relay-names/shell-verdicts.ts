// The expected results of a real shell for drivers that end there: one run of the one program, with the one argument; or one
// file, unchanged, tested and loaded.
import { isDeepStrictEqual } from 'node:util';
import type { RenderContext, WireCall } from '../../subgraphs/relay/drivers/driver.ts';
import type { Rendering } from './offer.ts';
import type { Invocation, ShellCall, ShellReply } from './real-shell.ts';

export interface ShellTrial {
  readonly call: ShellCall;
  /** The deviation. Undefined if there is none. */
  readonly judge: (reply: ShellReply) => string | undefined;
}

function ofExec(call: WireCall): { readonly command: string; readonly stdin: string } {
  if (call.kind !== 'exec') throw new Error('no call for a shell');
  return { command: call.command, stdin: call.stdin ?? '' };
}

function differs(reply: ShellReply, invocations: readonly Invocation[], files: Readonly<Record<string, string>>) {
  if (!isDeepStrictEqual(reply.invocations, invocations)) return `run: ${JSON.stringify(reply.invocations)}`;
  if (!isDeepStrictEqual(reply.files, files)) return `files: ${JSON.stringify(reply.files)}`;
  return reply.exitCode === 0 && reply.stderr === '' ? undefined : `exit ${reply.exitCode}: ${reply.stderr}`;
}

/** ovsdb-client gets each transaction as one argument, and no input is left. The program finds nothing here. */
export function openVswitchTrial(rendering: Rendering): ShellTrial {
  const { command, stdin } = ofExec(rendering.call);
  const invocation = (transaction: string): Invocation => ({
    ...{ program: 'ovsdb-client', argv: ['transact', transaction] },
    // The script could read the rest of the input.
    stdin: '',
  });
  const transactions = stdin.trimEnd().split('\n');
  return { call: { command, stdin }, judge: (reply) => differs(reply, transactions.map(invocation), {}) };
}

/** A trial call's configuration, in the folder of the call. */
const root = 'waf';

/** The call is rendered again, for a configuration in its own folder. */
export function modSecurityTrial({ operation, args }: Rendering, context: RenderContext, folder: string): ShellTrial {
  const options = { ...context.backend.options, configRoot: `${folder}/${root}` };
  const call = operation.render(args, { ...context, backend: { ...context.backend, options } });
  const { command, stdin } = ofExec(call);
  const { site = 'shop.lab', id = 7 } = args;
  const at = `${root}/sites/${String(site)}`;
  const rule = `${at}/rules/${String(id)}.conf`;
  const mode = { [`${at}/mode.conf`]: 'SecRuleEngine On\n' };
  const lock = { [`${root}/lock`]: '' };
  // The input after the id of the call, the folder, the site and the key is the file.
  const file = stdin.split('\n').slice(4).join('\n');
  const apache = (word: string): Invocation => ({ program: 'apache2ctl', argv: [word], stdin: '' });
  const loads = [apache('configtest'), apache('graceful')];
  const [maker = context.operationId] = (args.madeBy ?? []) as readonly string[];
  const old = { [rule]: `# tg:${maker}\nSecRule old\n` };
  const expected: Readonly<
    Record<string, [before: Record<string, string>, after: Record<string, string>, Invocation[]]>
  > = {
    'site.list': [mode, mode, []],
    'rule.list': [{ ...mode, ...old }, { ...mode, ...old }, []],
    'mode.set': [mode, { ...lock, [`${at}/mode.conf`]: file }, loads],
    'rule.create': [mode, { ...lock, ...mode, [rule]: file }, loads],
    'rule.delete': [{ ...mode, ...old }, { ...lock, ...mode }, loads],
  };
  const [before, after, invocations] = expected[operation.name] ?? [{}, {}, []];
  const verdict = `waf ${operation.name.endsWith('.list') ? 'listed' : 'applied loaded'} ${context.operationId}`;
  return {
    call: { command, stdin, files: { ...before, [`${at}/rules/`]: '' } },
    judge(reply) {
      if (reply.stdout.trimEnd().split('\n').at(-1) !== verdict) return `it says: ${reply.stdout}`;
      return differs(reply, invocations, after);
    },
  };
}
