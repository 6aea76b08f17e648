-- Calls are listed and counted by project, state and CMP object in the order of the database's clock. Retention reads by state, too.
ALTER TABLE `operation`
  DROP INDEX `operation_project_idx`,
  ADD INDEX `operation_project_state_idx` (`project_id`, `state`, `created_at`, `id`),
  DROP INDEX `operation_cmp_idx`,
  ADD INDEX `operation_cmp_idx` (`cmp_namespace`, `cmp_type`, `cmp_id`, `project_id`, `created_at`, `id`),
  DROP INDEX `operation_finished_idx`,
  ADD INDEX `operation_state_idx` (`state`, `created_at`, `id`);
