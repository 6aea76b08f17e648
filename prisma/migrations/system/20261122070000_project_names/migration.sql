INSERT IGNORE INTO `project_name` (`project_id`, `name`) SELECT `id`, `name` FROM `project`;
