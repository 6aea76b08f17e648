// `tidegate ha leave`.
import { Cluster } from '../../../ha/cluster.ts';
import { etcdOf } from '../../../ha/host/cluster-client.ts';
import { text } from '../../cli/option.ts';
import { hostVerb } from './cluster-verb.ts';

export const leave = hostVerb({
  summary: 'Take a host out of the cluster for good, so that another one may join in its place.',
  options: { host: text('HOST', 'The host that leaves, if it is lost for example; default: this one.') },
  async run({ file, asker, options, printer }) {
    const name = options.host ?? file.me;
    const there = file.members.filter(({ left }) => left !== true);
    // Its own member of etcd stops answering amid it.
    const etcd = etcdOf({ ...file, members: there.filter((each) => each.name !== name) });
    try {
      await new Cluster(etcd, file.cluster, there).leave(name, file.members, asker);
    } finally {
      etcd.close();
    }
    if (options.json) return printer.json({ left: name });
    await printer.line(`${name} has left. "tidegate ha invite" at the first host prints how another one joins.`);
  },
});
