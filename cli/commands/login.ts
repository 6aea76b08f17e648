// `tidegate login URL`: selects the server and login of the next commands. `--cluster NAME`: gets a token for "containers" and "objects".
import { UsageError } from '../failures.ts';
import { loginOptions as options } from '../login/options.ts';
import { localVerb } from '../verb.ts';

export const login = localVerb({
  summary:
    'Log in at a server, for the next commands; or at a cluster of object storage, for "containers" and "objects".',
  takes: ['[URL]'],
  options,
  mayBeLeft: true,
  async run({ names: [url], options: given, ...call }) {
    const { cluster } = given;
    if ((url === undefined) === (cluster === undefined))
      throw new UsageError(
        'give the URL of a server, for example http://127.0.0.1:4000, or --cluster for a cluster of object storage',
      );
    if (cluster !== undefined) {
      const strange = given.as === undefined ? given['keep-chosen'] && '--keep-chosen' : '--as';
      if (strange) throw new UsageError(`--cluster does not take ${strange}`);
      const { logInAtCluster } = await import('../login/at-cluster.ts');
      return logInAtCluster({ ...given, cluster }, call);
    }
    const strange = (['url', 'context', 'data', 'project'] as const).find((each) => given[each] !== undefined);
    if (strange !== undefined) throw new UsageError(`a login at a server does not take --${strange}`);
    const { logInAt } = await import('../login/at-server.ts');
    return logInAt(url ?? '', given, call);
  },
});
