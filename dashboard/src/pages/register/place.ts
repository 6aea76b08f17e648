// Which driver speaks to the backend, and where it is, as it was entered.
import type { BackendProofReadInput, RegisterDriversQuery } from '../../../../generated/dashboard/graphql.ts';

export type Driver = RegisterDriversQuery['relayDrivers'][number];

export type Place = Pick<BackendProofReadInput, 'projectId' | 'driver' | 'host' | 'port' | 'transport'> & {
  readonly cryptoProfile: 'MODERN' | 'COMPAT' | 'LEGACY';
};

interface OptionsSchema {
  readonly required?: readonly string[];
  readonly properties?: { readonly transport?: { readonly enum?: readonly string[] } };
}

export function schemaOf({ optionsSchema }: Driver): OptionsSchema {
  return optionsSchema as OptionsSchema;
}

/** The protocols of a driver, its usual one first. */
export function transportsOf(driver: Driver): readonly NonNullable<Place['transport']>[] {
  const names = schemaOf(driver).properties?.transport?.enum ?? [];
  return names.map((name) => name.toUpperCase() as NonNullable<Place['transport']>);
}
