// Checks, when a backend is registered or moved, that the egress policy allows its addresses. Only addresses are checked here; a
// name's addresses are checked at each connect.
import { isIP } from 'node:net';
import type { InputCheck } from '../../../../platform/input/input.ts';
import type { EgressPolicy } from '../../../../platform/net/egress.ts';
import type { Driver, JsonObject, TransportKind } from '../../drivers/driver.ts';
import { mainTransport, portOf } from '../../drivers/options.ts';
import { originsIn } from '../../transports/tls-backend.ts';

/** The backend after the change. */
interface Reach {
  readonly host: string;
  readonly port: number;
  readonly options: JsonObject;
}

/** `given`: the fields in the input. A fault is reported for one of these fields. If there are none, nothing is checked. */
export function checkReach(
  check: InputCheck,
  egress: EgressPolicy,
  driver: Driver,
  reach: Reach,
  given: { readonly [Field in keyof Reach]: boolean },
): void {
  if (given.host || given.port || given.options) checkWires(check, egress, driver, reach, given);
  if (!given.options) return;
  for (const { option, address } of originsIn(reach.options)) {
    const denial = isIP(address.host) === 0 ? undefined : egress.denial(address.host, address.port);
    if (denial !== undefined) check.fault(`options.${option}`, denial.reason, 'EGRESS_DENIED');
  }
}

function checkWires(
  check: InputCheck,
  egress: EgressPolicy,
  driver: Driver,
  reach: Reach,
  given: { readonly [Field in keyof Reach]: boolean },
): void {
  if (isIP(reach.host) === 0) return;
  const main = mainTransport(driver, reach.options);
  for (const kind of Object.keys(driver.ports) as TransportKind[]) {
    const port = portOf(driver, reach, kind);
    const denial = port === undefined ? undefined : egress.denial(reach.host, port);
    if (denial === undefined) continue;
    const elsewhere = given.port && (kind === main || !given.options) ? 'port' : 'options';
    check.fault(given.host ? 'host' : elsewhere, denial.reason, 'EGRESS_DENIED');
    return;
  }
}
