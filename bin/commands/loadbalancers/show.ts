// `tidegate loadbalancers show NAME`.
import { commonOptions, remoteVerb } from '../../cli/remote-verb.ts';
import { balancerId, printBalancer, readBalancer } from './balancer.ts';

export const show = remoteVerb({
  summary: 'Show a load balancer with its listeners, pools and nodes.',
  takes: ['NAME'],
  options: { project: commonOptions.project },
  async run(call) {
    const { client, names, options } = call;
    await printBalancer(
      call,
      await readBalancer(client, await balancerId(client, names[0], options.project), names[0]),
    );
  },
});
