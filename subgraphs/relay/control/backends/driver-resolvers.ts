// Resolvers of drivers: their operations, published for developers of clients.
import type { Resolvers } from '../../../../generated/graph/relay.ts';
import type { Driver } from '../../drivers/driver.ts';

export function driverResolvers(drivers: ReadonlyMap<string, Driver>): Resolvers {
  return {
    Query: { relayDrivers: () => [...drivers.values()] },
    RelayDriver: {
      operations: (driver) => [...driver.operations.values()],
      typedMutations: (driver) => Object.keys(driver.typed),
    },
  };
}
