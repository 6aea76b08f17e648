-- The queue of a backend is in the order of the database's clock, not of the clocks in ids.
ALTER TABLE `operation`
  DROP INDEX `operation_backend_state_idx`,
  ADD INDEX `operation_backend_state_idx` (`backend_id`, `state`, `created_at`, `id`);
