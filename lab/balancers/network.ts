// The network of the device `balancers`: two hosts, the web servers and a client around a switch. Nodes of load balancers are namespaces too,
// created by their hosts.
import { ip, newBridge, run, SwitchedNetwork } from '../switched-network.ts';
import { clientName, type Plan, planOf, tunnelPrefix, wirePrefix } from './plan.ts';

export class BalancerNetwork extends SwitchedNetwork {
  constructor(id: string) {
    super(id, 'lb');
  }

  /** `preferred`: the third number of an earlier start's addresses. */
  async layOut(preferred: number | undefined, signal: AbortSignal): Promise<Plan> {
    const plan = planOf(await this.lay(preferred, signal));
    await ip(newBridge('tunnels'), this.switch);
    for (const [index, { managementRange, publicRange, address }] of plan.hosts.entries()) {
      await this.addHost(plan, index);
      await ip([managementRange, publicRange].map((range) => `route add ${range} via ${address} dev ${this.line}`));
    }
    for (const { name, address } of [...plan.webs, { name: clientName, address: plan.client }])
      await this.#add(plan, name, address);
    return plan;
  }

  async addHost(plan: Plan, index: number): Promise<void> {
    const host = plan.hosts[index];
    if (host === undefined) return;
    await this.#add(plan, host.name, host.address);
    const space = this.namespace(host.name);
    await ip([`link add eth1 netns ${space} type veth peer name ${host.name}t netns ${this.switch}`]);
    await ip([`link set ${host.name}t master tunnels up`], this.switch);
    await ip([`address add ${host.tunnelAddress}/${tunnelPrefix} dev eth1`, 'link set eth1 up'], space);
    await run(['nsenter', `--net=/run/netns/${space}`, '--', 'sh', '-c', 'echo 1 >/proc/sys/net/ipv4/ip_forward']);
  }

  async #add({ hosts }: Plan, name: string, address: string): Promise<void> {
    await this.join(name, address, wirePrefix);
    const others = hosts.filter((host) => host.name !== name);
    await ip(
      others.map((host) => `route add ${host.publicRange} via ${host.address}`),
      this.namespace(name),
    );
  }
}
