-- Backends are found by the beginning of their host.

ALTER TABLE `backend`
  ADD INDEX `backend_host_idx` (`host`, `id`),
  ADD INDEX `backend_project_host_idx` (`project_id`, `host`, `id`);
