// The network of the device `routers`: two routers with a line between them, a host behind each, and a switch through which this machine
// reaches only the routers. All addresses behind the switch are for documentation (RFC 5737, RFC 3849).
import { ip, run, SwitchedNetwork } from '../switched-network.ts';

export interface RouterPlan {
  readonly name: string;
  /** Management address, for SSH. */
  readonly address: string;
  /** Address on the line to the other router. */
  readonly transit: string;
  readonly transit6: string;
  readonly asNumber: number;
  readonly host: { readonly name: string; readonly address: string; readonly address6: string };
  /** The router's own addresses in the network of its host, and that network. */
  readonly inside: string;
  readonly inside6: string;
  readonly block: string;
  readonly block6: string;
}

/** `net`: the first 24 bits of the switch's network. */
function planOf(net: string): readonly [RouterPlan, RouterPlan] {
  return [
    {
      ...{ name: 'router1', address: `${net}.11`, asNumber: 65_001 },
      ...{ transit: '198.51.100.1', transit6: '2001:db8:12::1' },
      ...{ inside: '192.0.2.1', inside6: '2001:db8:1::1', block: '192.0.2.0/24', block6: '2001:db8:1::/64' },
      host: { name: 'left', address: '192.0.2.10', address6: '2001:db8:1::10' },
    },
    {
      ...{ name: 'router2', address: `${net}.12`, asNumber: 65_002 },
      ...{ transit: '198.51.100.2', transit6: '2001:db8:12::2' },
      ...{ inside: '203.0.113.1', inside6: '2001:db8:2::1', block: '203.0.113.0/24', block6: '2001:db8:2::/64' },
      host: { name: 'right', address: '203.0.113.10', address6: '2001:db8:2::10' },
    },
  ];
}

export class RoutersNetwork extends SwitchedNetwork {
  constructor(id: string) {
    super(id, 'rt');
  }

  /** `preferred`: the third number of an earlier start's addresses. */
  async layOut(preferred: number | undefined, signal: AbortSignal): Promise<readonly [RouterPlan, RouterPlan]> {
    const plan = planOf(await this.lay(preferred, signal));
    for (const router of plan) await this.join(router.name, router.address, 24);
    const [one, other] = plan.map(({ name }) => this.namespace(name));
    await ip([`link add transit netns ${one} type veth peer name transit netns ${other}`]);
    for (const router of plan) await this.#layRouter(router);
    return plan;
  }

  async #layRouter({ name, transit, transit6, inside, inside6, host }: RouterPlan): Promise<void> {
    const [space, behind] = [this.namespace(name), this.namespace(host.name)];
    await ip([`netns add ${behind}`, `link add eth0 netns ${behind} type veth peer name inside netns ${space}`]);
    const settings = 'for i in all default; do echo 0 >/proc/sys/net/ipv6/conf/$i/accept_dad; done 2>/dev/null';
    const forward = 'echo 1 >/proc/sys/net/ipv4/ip_forward; echo 1 >/proc/sys/net/ipv6/conf/all/forwarding 2>/dev/null';
    await this.#inSpace(space, `${settings}; ${forward}; :`);
    await this.#inSpace(behind, `${settings}; :`);
    await ip(
      [
        ...[
          `address add ${transit}/30 dev transit`,
          `address add ${transit6}/64 dev transit nodad`,
          'link set transit up',
        ],
        ...[`address add ${inside}/24 dev inside`, `address add ${inside6}/64 dev inside nodad`, 'link set inside up'],
      ],
      space,
    );
    await ip(
      [
        ...['link set lo up', `address add ${host.address}/24 dev eth0`],
        ...[`address add ${host.address6}/64 dev eth0 nodad`, 'link set eth0 up'],
        ...[`route add default via ${inside}`, `route add default via ${inside6}`],
      ],
      behind,
    );
  }

  async #inSpace(space: string, script: string): Promise<void> {
    await run(['ip', 'netns', 'exec', space, 'sh', '-c', script]);
  }
}
