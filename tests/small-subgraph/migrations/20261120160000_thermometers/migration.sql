-- Thermometers of projects.
CREATE TABLE `thermometer` (
  `id` CHAR(36) NOT NULL,
  `project_id` CHAR(36) NOT NULL,
  `name` VARCHAR(63) NOT NULL,
  `port` SMALLINT UNSIGNED NOT NULL,
  `operating_status` VARCHAR(16) NOT NULL DEFAULT 'UNKNOWN',
  `reading` INT NULL,
  -- NULL once it is deleted: its name is free again.
  `live` BOOLEAN NULL DEFAULT TRUE,
  `version` INT UNSIGNED NOT NULL DEFAULT 1,
  PRIMARY KEY (`id`),
  UNIQUE INDEX `thermometer_name_key` (`project_id`, `name`, `live`),
  INDEX `thermometer_time_idx` (`live`, `id`),
  INDEX `thermometer_project_time_idx` (`project_id`, `live`, `id`)
);
