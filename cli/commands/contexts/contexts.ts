// `tidegate contexts`: the servers at which this person has logged in.
import { graphql } from '../../../generated/cli/index.ts';
import { ContextStore } from '../../contexts.ts';
import { endpointUrl, refusePlain } from '../../endpoint.ts';
import { CommandFailure, exitCodes, Interruption } from '../../failures.ts';
import { GraphClient } from '../../graph-client.ts';
import { flag } from '../../option.ts';
import { printerOf } from '../../printer.ts';
import { commonOptions } from '../../remote-verb.ts';
import { storedCredential } from '../../stored-credential.ts';
import { localVerb, type Noun } from '../../verb.ts';

const logoutDocument = graphql(`
  mutation ContextsLogout($input: LogoutInput) { logout(input: $input) { userErrors { code message field } } }
`);

const { json } = commonOptions;

const list = localVerb({
  summary: 'List the servers at which you have logged in; the chosen one has a star.',
  takes: [],
  options: { json },
  async run({ options, ...call }) {
    const store = new ContextStore(call.env);
    const chosen = await store.chosenName();
    const rows = [];
    for (const name of await store.names()) {
      const { url, user, credential } = await store.read(name);
      const until = 'token' in credential ? null : credential.refreshTokenExpiresAt;
      rows.push({ name, url, user, chosen: name === chosen, until });
    }
    const printer = printerOf(call);
    if (options.json) return printer.json(rows);
    await printer.rows(
      { NAME: 'name', CHOSEN: (row) => (row.chosen ? '*' : ''), URL: 'url', USER: 'user', 'LOGIN ENDS': 'until' },
      rows,
    );
  },
});

const use = localVerb({
  summary: 'Choose the server and login of the next commands.',
  takes: ['NAME'],
  options: { json },
  async run({ names: [name], options, ...call }) {
    const store = new ContextStore(call.env);
    await store.choose(name);
    const { url, user } = await store.read(name);
    const printer = printerOf(call);
    if (options.json) return printer.json({ name, url, user, chosen: true });
    await printer.line(`the next commands go to ${url}, as ${user}`);
  },
});

const leave = localVerb({
  summary: 'Choose no context: commands use the data folder of "npm start", as before the first login.',
  takes: [],
  options: { json },
  async run({ options, ...call }) {
    await new ContextStore(call.env).chooseNone();
    const printer = printerOf(call);
    if (options.json) return printer.json({ chosen: null });
    await printer.line('no context is chosen');
  },
});

const remove = localVerb({
  summary: 'End the session of a context, and forget it.',
  takes: ['NAME'],
  options: {
    'forget-only': flag('Do not contact the server: the session continues there until it ends by itself.'),
    json,
  },
  mayBeLeft: true,
  async run({ names: [name], options, ...call }) {
    const store = new ContextStore(call.env);
    const context = await store.read(name);
    // An API token is not ours to end.
    if (!options['forget-only'] && 'refreshToken' in context.credential) {
      const url = endpointUrl(context.url, name);
      refusePlain(url, context.insecure === true);
      const client = new GraphClient({
        url,
        credential: storedCredential(context, { ...call, url }),
        signal: call.signal,
      });
      try {
        await client.mutate(logoutDocument, {});
      } catch (error) {
        if (error instanceof Interruption || !(error instanceof CommandFailure)) throw error;
        // A server that refuses the login has no such session any more.
        if (error.exitCode === exitCodes.unreachable)
          throw new CommandFailure(
            `the session is not ended: ${error.message}; --forget-only forgets it all the same`,
            exitCodes.unreachable,
          );
      } finally {
        await client.close();
      }
    }
    await store.remove(name);
    const printer = printerOf(call);
    if (options.json) return printer.json({ name, deleted: true });
    await printer.line(`${name} is forgotten`);
  },
});

export const contexts: Noun = { list, use, leave, delete: remove };
