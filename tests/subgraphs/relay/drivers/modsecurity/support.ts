// The driver with a real Apache and ModSecurity.
import type { RunningWaf } from '../../../../../lab/apache-waf.ts';
import { modSecurity } from '../../../../../subgraphs/relay/drivers/modsecurity/driver.ts';
import { DriverCaller } from '../../support/driver-caller.ts';
import { sshEndpoint } from '../../support/endpoints.ts';

export async function wafCaller(waf: RunningWaf): Promise<DriverCaller> {
  return new DriverCaller(modSecurity, await sshEndpoint(waf.ssh));
}
