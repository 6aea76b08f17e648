-- Every subgraph reads the name of a project and holds it; system writes it.
CREATE TABLE `project_name` (
  `project_id` CHAR(36) NOT NULL,
  `name` VARCHAR(63) NULL,
  PRIMARY KEY (`project_id`),
  UNIQUE INDEX `project_name_name_key` (`name`)
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;
