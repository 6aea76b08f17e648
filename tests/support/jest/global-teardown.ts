// Runs once after all test files. No process or folder of the run remains.

import type { ProductProcess } from '../product/product-process.ts';

declare global {
  /** The product of runner.js, which stops it earlier unless it was interrupted. */
  var tidegateTestProduct: ProductProcess | undefined;
}

export default async function globalTeardown(): Promise<void> {
  await globalThis.tidegateTestProduct?.stop();
  await globalThis.tidegateTestServers?.stop();
  globalThis.tidegateTestServers = undefined;
}
