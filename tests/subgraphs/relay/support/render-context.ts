// A driver's context for rendering, as the relay provides it for a backend with these options.
import { randomUUID } from 'node:crypto';
import type { Driver, JsonObject, RenderContext } from '../../../../subgraphs/relay/drivers/driver.ts';
import { mainTransport, withDefaults } from '../../../../subgraphs/relay/drivers/options.ts';

export function renderContext(
  driver: Driver,
  given: { readonly operationId?: string; readonly options?: JsonObject; readonly softwareVersion?: string } = {},
): RenderContext {
  const options = withDefaults(given.options ?? {}, driver);
  return {
    operationId: given.operationId ?? randomUUID(),
    backend: { transport: mainTransport(driver, options), options, softwareVersion: given.softwareVersion ?? null },
  };
}
