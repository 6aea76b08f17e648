// Runs once after all test files: no process or folder of the run remains.

export default async function globalTeardown(): Promise<void> {
  await globalThis.tidegateTestServers?.stop();
  globalThis.tidegateTestServers = undefined;
}
