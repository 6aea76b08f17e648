// Reads one backend object, with the driver's reader of its kind.
import { refuse } from '../../../../platform/errors/errors.ts';
import { newUuid } from '../../../../platform/values/ids.ts';
import type { Driver, MappedObject, ResourceFinding, ResourceReader } from '../../drivers/driver.ts';
import type { BackendRow } from '../backends/backend.ts';
import type { Devices } from '../backends/devices.ts';
import { contextOf } from '../backends/endpoint.ts';

type Seen = Exclude<ResourceFinding, { finding: 'UNREADABLE' }>;

export class ObjectViewer {
  readonly #devices: Devices;

  constructor(devices: Devices) {
    this.#devices = devices;
  }

  /** Refuses NOT_SUPPORTED (no reader for such objects), UNAVAILABLE (no answer, or an unreadable one), and like Devices.ask. */
  async look(
    backend: BackendRow,
    driver: Driver,
    object: MappedObject & { readonly resource: string },
  ): Promise<{ readonly seen: Seen; readonly reader: ResourceReader }> {
    const reader = driver.resources?.get(object.resource);
    if (reader === undefined)
      refuse('NOT_SUPPORTED', `driver ${driver.name} can't read a ${object.resource}`, {
        field: ['input', 'resource'],
      });
    const context = { operationId: newUuid(), backend: contextOf(driver, backend) };
    const asked = await this.#devices.ask(backend, reader.render(object, context), backend.deadlineMs);
    if (!asked.ok)
      refuse('UNAVAILABLE', `${backend.name} could not be read: ${asked.redactor.text(asked.failure.message)}`, {
        retryAfterMs: 1_000,
      });
    const found = asked.redactor.value(reader.interpret(asked.reply, object));
    if (found.finding === 'UNREADABLE')
      refuse('UNAVAILABLE', `the answer of ${backend.name} is unreadable: ${found.message}`, { retryAfterMs: 1_000 });
    return { seen: found, reader };
  }
}
