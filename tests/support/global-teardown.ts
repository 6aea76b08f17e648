// Runs once after all test files: nothing of the run is left, neither a process nor a folder.

export default async function globalTeardown(): Promise<void> {
  await globalThis.tidegateTestServers?.stop();
  globalThis.tidegateTestServers = undefined;
}
