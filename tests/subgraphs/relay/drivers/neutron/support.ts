// The driver with a real Neutron and Keystone.
import type { KeystoneAccount, RunningNeutron } from '../../../../../lab/neutron.ts';
import type { JsonObject } from '../../../../../subgraphs/relay/drivers/driver.ts';
import { neutron } from '../../../../../subgraphs/relay/drivers/neutron/driver.ts';
import type { Endpoint } from '../../../../../subgraphs/relay/transports/session.ts';
import { DriverCaller, type DriverCallerOptions } from '../../support/driver-caller.ts';
import { pinOf } from '../../transports/support/web-device.ts';

export const someId = '2f1c9b1e-6f0e-4f43-9a52-3f1f2a6a7c11';

/** Neutron's objects have IDs. */
export type NeutronCaller = DriverCaller<JsonObject & { readonly id: string }>;

/** `options`: options besides those of the account. */
export function neutronCaller(
  lab: RunningNeutron,
  account: KeystoneAccount,
  { options = {}, ...more }: DriverCallerOptions = {},
): NeutronCaller {
  return new DriverCaller(neutron, endpointFor(lab, account), {
    options: { ...optionsFor(lab, account), ...options },
    concurrency: 2,
    ...more,
  });
}

/** A backend's options for a project of the lab. */
export function optionsFor(lab: RunningNeutron, account: KeystoneAccount): JsonObject {
  const { host, port } = lab.keystone;
  return { authUrl: `https://${host}:${port}/v3`, project: account.project };
}

export function endpointFor(lab: RunningNeutron, account: KeystoneAccount): Endpoint {
  const { host, port, certificateSha256 } = lab.neutron;
  const { username, password } = account;
  return {
    ...{ host, port, hostKeySha256: null, certificateSha256: pinOf(certificateSha256), cryptoProfile: 'MODERN' },
    credentials: { username, password },
  };
}
