-- Changes of rings: one at a time of each ring, in steps.

CREATE TABLE `object_ring_change` (
  `id` CHAR(36) NOT NULL,
  `number` INT UNSIGNED NOT NULL,
  `live_number` INT UNSIGNED NULL,
  `state` VARCHAR(16) NOT NULL,
  `recovers` INT UNSIGNED NULL,
  `steps_planned` INT UNSIGNED NOT NULL,
  `steps_done` INT UNSIGNED NOT NULL DEFAULT 0,
  `moved_share` DOUBLE NOT NULL,
  `step_epoch` INT UNSIGNED NULL,
  `step_replicas` TINYINT UNSIGNED NULL,
  `step_members` MEDIUMTEXT NULL,
  `step_clusters` BLOB NULL,
  `version` INT NOT NULL DEFAULT 1,
  `created_at` DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  `ended_at` DATETIME(3) NULL,
  PRIMARY KEY (`id`),
  UNIQUE INDEX `object_ring_change_live_key` (`live_number`)
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;
