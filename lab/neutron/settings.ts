// Settings of a private Keystone and Neutron: SQLite instead of a database server, no message queue, everything in one folder.
// They follow the configuration references of Keystone 22, Neutron 21 and networking-sfc 15 (Zed).

import { join } from 'node:path';
import type { KeystoneAccount as Account } from '../../platform/openstack/keystone.ts';

/** An account in the default domain, like its project. */
export type KeystoneAccount = Pick<Account, 'username' | 'password' | 'project'>;

export const REGION = 'lab';

/** Settings of both services: no queue, and only the policy in the code. */
const common = (folder: string) => `[oslo_policy]
policy_dirs = ${join(folder, 'no-policy')}
[oslo_concurrency]
lock_path = ${join(folder, 'locks')}
`;

/** `folder` has keystone.sqlite and the key repositories fernet/ and credential/. */
export function keystoneSettings(folder: string): string {
  return `[DEFAULT]
transport_url = fake://
${common(folder)}
[database]
connection = sqlite:///${join(folder, 'keystone.sqlite')}
[token]
provider = fernet
[fernet_tokens]
key_repository = ${join(folder, 'fernet')}
[fernet_receipts]
key_repository = ${join(folder, 'fernet')}
[credential]
key_repository = ${join(folder, 'credential')}
[identity]
# The least that bcrypt takes: its accounts guard a lab.
password_hash_rounds = 4
`;
}

/** `folder` has neutron.sqlite. Without separate RPC and API workers the parent process serves the API. */
export function neutronSettings(
  folder: string,
  prefix: string,
  keystone: { readonly url: string; readonly account: KeystoneAccount },
): string {
  const { username, password, project } = keystone.account;
  return `[DEFAULT]
transport_url = fake://
core_plugin = ml2
service_plugins = router,segments,flow_classifier,sfc
auth_strategy = keystone
api_paste_config = ${prefix}/usr/share/neutron-common/api-paste.ini
state_path = ${join(folder, 'state')}
bind_host = 127.0.0.1
bind_port = 0
api_workers = 0
rpc_workers = 0
rpc_state_report_workers = 0
notify_nova_on_port_status_changes = false
notify_nova_on_port_data_changes = false
${common(folder)}
[database]
connection = sqlite:///${join(folder, 'neutron.sqlite')}
[quotas]
quota_network = -1
quota_subnet = -1
quota_port = -1
quota_router = -1
quota_security_group = -1
quota_security_group_rule = -1
quota_floatingip = -1
quota_flow_classifier = -1
quota_port_pair = -1
quota_port_pair_group = -1
quota_port_chain = -1
quota_service_graphs = -1
# Chains are kept, and no switch is told of them.
[flowclassifier]
drivers = dummy
[sfc]
drivers = dummy
[securitygroup]
firewall_driver = noop
[ml2]
type_drivers = local,flat,vlan,vxlan
tenant_network_types = vxlan,local
mechanism_drivers = logger
extension_drivers = port_security
[ml2_type_vxlan]
vni_ranges = 1:10000
[ml2_type_flat]
flat_networks = *
[keystone_authtoken]
auth_type = password
auth_url = ${keystone.url}/v3
username = ${username}
password = ${password}
project_name = ${project}
user_domain_id = default
project_domain_id = default
region_name = ${REGION}
interface = internal
`;
}
