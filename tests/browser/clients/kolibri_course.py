# A channel in Kolibri with one HTML5 app: run with KOLIBRI_HOME set and the zip's path; makes school, learner and channel as an import
# from Studio would, and says the path of the app's page.
import hashlib
import os
import shutil
import sys
from uuid import uuid4

from kolibri.utils.main import initialize

initialize()

from django.core.management import call_command
from kolibri.core.content.models import ChannelMetadata, ContentNode, File, Language, LocalFile
from kolibri.core.content.utils.paths import get_content_storage_file_path
from kolibri.core.device.utils import device_provisioned

if not device_provisioned():
    call_command("provisiondevice", facility="School", superusername="ada", superuserpassword="ada-lovelace", preset="formal", language_id="en", interactive=False)

package = sys.argv[1]
with open(package, "rb") as file:
    digest = hashlib.md5(file.read()).hexdigest()
local, _ = LocalFile.objects.get_or_create(id=digest, defaults={"extension": "zip", "available": True, "file_size": 1})
place = get_content_storage_file_path(f"{digest}.zip")

os.makedirs(os.path.dirname(place), exist_ok=True)
shutil.copy(package, place)
language, _ = Language.objects.get_or_create(id="en", defaults={"lang_code": "en", "lang_name": "English", "lang_direction": "ltr"})
channel = uuid4().hex
root = ContentNode.objects.create(id=channel, title="Course", kind="topic", channel_id=channel, content_id=uuid4().hex, available=True)
ChannelMetadata.objects.create(id=channel, name="Course", root=root, min_schema_version="5")
app = ContentNode.objects.create(
    id=uuid4().hex, parent=root, title="Lesson", kind="html5", channel_id=channel, content_id=uuid4().hex, available=True, options={}, sort_order=1, lang=language,
)
File.objects.create(id=uuid4().hex, local_file=local, contentnode=app, preset="html5_zip", priority=1)
print(f"en/learn/#/topics/c/{app.id}")
