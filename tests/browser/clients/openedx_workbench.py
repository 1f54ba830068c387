# The XBlock workbench with one scenario, a SCORM component: run as manage.py is. The component's own scenario names another tag.
import os
import sys

os.environ["DJANGO_SETTINGS_MODULE"] = "workbench.settings"

from django.core.management import execute_from_command_line
from openedxscorm.scormxblock import ScormXBlock
from xblock.core import XBlock

ScormXBlock.workbench_scenarios = staticmethod(lambda: [("Lesson", "<vertical_demo><scorm/></vertical_demo>")])
# The workbench has a mock for where a block is, and names the learner behind what it takes for the end of an address.
ScormXBlock.extract_old_folder_base_path = property(lambda self: "scorm/none")
ScormXBlock.proxy_base_url = property(lambda self: f"/handler/{self.scope_ids.usage_id}/assets_proxy")
load_classes = XBlock.load_classes
XBlock.load_classes = lambda *given, **named: [(name, block) for name, block in load_classes(*given, **named) if block is ScormXBlock]
execute_from_command_line(sys.argv)
