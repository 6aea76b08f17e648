-- What the last events said of a cluster's services, and of how far a change of a ring is.

ALTER TABLE `object_cluster` ADD COLUMN `services` MEDIUMTEXT NULL AFTER `present`;
ALTER TABLE `object_ring_change`
  ADD COLUMN `progress` TEXT NULL AFTER `step_clusters`,
  ADD COLUMN `progress_at` DATETIME(3) NULL AFTER `progress`;
