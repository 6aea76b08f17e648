-- Which source of files made an object. prisma/schema/platform.prisma says what each column is.

CREATE TABLE `applied_object` (
  `id` CHAR(36) NOT NULL,
  `subject_type` VARCHAR(64) NOT NULL,
  `project_id` CHAR(36) NULL,
  `source` VARCHAR(63) NOT NULL,
  `created_at` DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  PRIMARY KEY (`id`),
  INDEX `applied_object_source_idx` (`source`, `id`),
  INDEX `applied_object_project_idx` (`project_id`, `id`),
  INDEX `applied_object_project_source_idx` (`project_id`, `source`, `id`)
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;
